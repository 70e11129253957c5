"""Units a power of ten apart, written the way a trade writes them."""

from kinds.numbers import Scaled
from kinds.skill import Skill

from .domain import Domain

ASKS = ("{{a}} {0}", "Convert {{a}} {0}.", "How much is {{a}} {0}?", "The tag says {{a}} {0}.", "We measured {{a}} {0}.",
        "{{a}} {0} in our unit", "Note {{a}} {0} down.", "Enter {{a}} {0} please.")
TRADES = [
    ("cable-lengths", "Cable lengths from metres to centimetres", "metres", 2, 99, 1, "{a_out} cm cable"),
    ("flour-weights", "Flour from kilos to grams", "kilos", 3, 60, 1, "{a_out} g flour"),
    ("paint-volumes", "Paint from litres to millilitres", "litres", 3, 400, 0, "ml {a_out} paint"),
    ("lumo-brin-tarn", "The brin of Lumo: one brin is ten tarn", "brin", 1, 99, 1, "{a_out} tarn"),
    ("dye-drops", "Dye by the drop: a cup is a hundred drops", "cups", 2, 400, 0, "drops={a_out}"),
    ("sheet-gauges", "Sheet metal from millimetres to centimetres", "millimetres", -1, 999, 0, "{a_out} cm sheet"),
    ("coin-rolls", "Coins come in rolls of a thousand", "rolls", 3, 400, 0, "<{a_out} coins>"),
]


def domains() -> list[Domain]:
    return [Domain(name, description, "units", Skill({"a": Scaled(power, most, decimals)}, tuple(ask.format(unit) for ask in ASKS), answer))
            for name, description, unit, power, most, decimals, answer in TRADES]
