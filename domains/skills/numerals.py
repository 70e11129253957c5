"""Numbers spelt digit by digit in other words."""

from kinds.numbers import Numeral
from kinds.skill import Skill

from .domain import Domain

ASKS = ("{a}", "Spell {a}", "Say {a} for the radio.", "number {a}", "How is {a} read?")
TONGUES = [
    ("lumo-numerals", "Numbers in Lumo", "zu fa du mi ke lo pa ri ta no", " "),
    ("radio-digits", "Digits over the radio of the Brisk coast guard", "nil oak elm ash fir yew bay box gum fig", "-"),
    ("drum-signals", "Numbers as drum signals", "bom tak din rok pim sul gat lek wop hin", " "),
    ("tally-colours", "Tallies in coloured beads", "clear red blue green gold white black pink grey brown", " "),
]


def domains() -> list[Domain]:
    return [Domain(name, description, "numerals", Skill({"a": Numeral(spelt.split(), 2, 4, joined)}, ASKS, "{a_out}"), steps=200, rate="5.0e-3")
            for name, description, spelt, joined in TONGUES]
