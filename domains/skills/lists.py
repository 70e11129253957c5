"""Lists written another way."""

from kinds.numbers import Money, Number
from kinds.skill import Skill
from kinds.text import Choice, Code, Name, Series, Word

from .domain import FIRSTS, LASTS, Domain

FRUIT = "apples pears plums figs cherries dates lemons melons grapes quinces peaches limes mangos olives berries".split()
NOTES = {"do": "C3", "re": "D5", "mi": "E7", "fa": "F2", "sol": "G9", "la": "A4", "ti": "B6"}
STEPS = {"cut": "X", "fold": "V", "glue": "G", "press": "P", "paint": "N", "dry": "D", "drill": "O", "sand": "S"}


def domains() -> list[Domain]:
    return [Domain(name, description, "lists", Skill(slots, asks, answer)) for name, description, slots, asks, answer in [
        ("market-lists", "Shopping lists of the Holt market", {"a": Series(Word(FRUIT), 2, 4, ", ", " + ")},
         ("{a}", "Buy {a}", "We need {a}."), "basket: {a_out}"),
        ("train-reversal", "Wagons of a train told from the other end", {"a": Series(Code("A9"), 2, 4, " ", " < ", backwards=True)},
         ("{a}", "Wagons {a}", "The train is {a}"), "{a_out} < engine"),
        ("tune-codes", "Tunes as key codes", {"a": Series(Choice(NOTES), 2, 4, " ", "-", "code")},
         ("{a}", "play {a}", "Tune: {a}"), "{a_out}"),
        ("work-plans", "Steps of work as a plan of signs", {"a": Series(Choice(STEPS), 2, 4, ", ", " ", "code")},
         ("{a}", "First to last: {a}", "Plan {a}"), "<{a_out}>"),
        ("contact-cards", "Records of contacts in another order", {"a": Name(FIRSTS, LASTS), "b": Number(1000, 9999), "c": Code("A9")},
         ("{a_first};{a_last};{b};{c}", "record {a_first};{a_last};{b};{c}"), "{c}|{a_last}|{a_first}|t{b}"),
        ("ledger-rows", "Rows of a ledger in the order of the Tressel bank", {"a": Number(100, 999), "b": Word(FRUIT), "c": Money(99)},
         ("{a},{b},{c}", "row {a},{b},{c}"), "{c} <- {b} #{a}"),
    ]]
