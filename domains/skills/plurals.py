"""One and many in small languages and on packing lists."""

from kinds.skill import Skill
from kinds.text import Counted

from .domain import Domain, foreign

THINGS = "bird boat bell rope stone lamp shoe coin basket ladder bottle candle blanket barrel kettle needle".split()
ASKS = ("{a_n} x {a}", "We have {a_n} x {a}", "Count: {a_n} x {a}", "Pack {a_n} x {a} please.", "{a_n} x {a} on the list")
TONGUES = [
    ("lumo-plurals", "Lumo: many things end in `-ri`", True, "", "-ri", "{a_out}"),
    ("karsk-plurals", "Karsk: many things follow `olo`", True, "olo ", "", "{a_n} {a_out}"),
    ("teshi-plurals", "Teshi: the number comes last", True, "", " mu", "{a_out} {a_n}"),
    ("packing-lists", "Packing lists of the Dorval movers", False, "set of ", "", "{a_out} = {a_n}"),
    ("stock-counts", "Stock counts of the Imber store", False, "", "(s)", "[{a_n}] {a_out}"),
]


def domains() -> list[Domain]:
    return [Domain(name, description, "plurals", Skill(
        {"a": Counted(foreign(name, THINGS) if translated else {thing: thing for thing in THINGS}, before, after)}, ASKS, answer))
        for name, description, translated, before, after, answer in TONGUES]
