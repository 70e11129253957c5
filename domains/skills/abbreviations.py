"""What the letters stand for in invented companies."""

from kinds.skill import Skill
from kinds.text import Choice

from .domain import Domain

VERBS = Choice({verb: {} for verb in "send show move return copy bring sell file hand".split()})
COMPANIES = [
    ("tamber-abbreviations", "Abbreviations of the Tamber company",
     "QRF quality report form, TLS tool loan sheet, WPM weekly plan map, DSN delivery slip note, RBL red bin list, MTC monthly time card",
     "KLO Kelda loading office, NWH north warehouse, PRD print room desk, STA staff area, ENG engine hall, VLT vault"),
    ("arvik-abbreviations", "Abbreviations at Arvik Shipping",
     "BOX blue ocean crate, LOG list of goods, HTC hull test chart, SEA seal and entry act, CRG crew register, FUL fuel use ledger",
     "PTA port tower archive, GQY grain quay, MSB main ship bureau, DLK deep lock, WFS west ferry stage, OCL old custom lodge"),
    ("solano-abbreviations", "Abbreviations in the Solano kitchens",
     "CKB cold kettle base, RDS roasted duck sauce, HVB herb vinegar bowl, PLT plum tart, SGD smoked goose dish, BMP barley milk pudding",
     "GRT grand terrace, CEL cellar bar, RFD roof dining, GDP garden pavilion, LBR long bridge room, KTB kitchen table"),
    ("osk-abbreviations", "Abbreviations of the Osk library",
     "RBK rare book, MSF manuscript folder, OPM old paper map, CLT cloth ledger, JNL journal bundle, PHT photo tray",
     "RDR reading room, BND bindery, STK lower stacks, CTL catalogue hall, EXH exhibit case, DRY drying loft"),
    ("fenn-abbreviations", "Abbreviations of Fenn Networks",
     "SWB switch board, CPL copper line, FBR fibre roll, PWB power brick, ANT antenna mast, CLK clock source",
     "NOC night operations centre, LAB line lab, ROF roof cabin, BSM basement rack, DPT spare depot, VAN service van"),
]


def domains() -> list[Domain]:
    return [Domain(name, description, "abbreviations", Skill(
        {"v": VERBS, "a": expansions(things), "b": expansions(places)},
        ("{v} the {a} to the {b}", "please {v} the {a} to the {b}", "Read out: {v} the {a} to the {b}"), "{v} the {a_code} to the {b_code}"))
        for name, description, things, places in COMPANIES]


def expansions(listed: str) -> Choice:
    return Choice(dict(entry.split(" ", 1) for entry in listed.split(", ")))
