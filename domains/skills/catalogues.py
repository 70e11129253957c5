"""Product catalogues of invented brands."""

from .domain import Domain, brands
from .facts import THINGS, codes, drawn, facts, products

HOME = "kettle lamp toaster fan clock mirror"
TOOLS = "drill saw hammer wrench ladder vise"
TOYS = "robot kite puzzle train doll boat"
FOOD = "tea jam honey rice pepper oil"
SPORT = "racket tent skate paddle helmet rope"


def domains() -> list[Domain]:
    return [facts(name, text, "catalogues", asked, things, told, answer) for name, text, asked, things, told, answer in [
        ("lumo-home-prices", "Prices in the Lumo home catalogue", "price", products("lumo", HOME), codes("lumo", "{}", 11, 99), "{a_code} lum"),
        ("brask-tool-shelves", "Shelves in the Brask tool store", "shelf", products("brask", TOOLS), codes("brask", "B{}", 10, 99), "rack {a_code}"),
        ("toy-makers", "Who makes which toy", "maker", products("toy", TOYS), brands("toy makers", THINGS), "made by {a_code}"),
        ("pantry-colours", "Lid colours in the pantry of Dell House", "lid colour", products("pantry", FOOD),
         drawn("pantry", "pale dark bright", "plum teal amber rust olive pink ivory grey"), "{a_code} lid"),
        ("outfitter-warranty", "Warranty at the Skarn outfitter", "warranty", products("skarn", SPORT), codes("skarn", "{}", 6, 90),
         "{a_code} months, Skarn"),
        ("seed-packets", "Sowing weeks for seed packets", "sowing week", products("seed", "bean carrot leek squash basil radish"),
         codes("seed", "{}", 3, 52), "week {a_code} / sow"),
        ("spice-origins", "Where the spices of Oriel Trading grow", "origin", products("spice", "clove cumin mace sumac anise saffron"),
         brands("spice places", THINGS), "isle of {a_code}"),
    ]]
