"""Names of people as lists, badges and accounts write them."""

from kinds.numbers import Number
from kinds.skill import Skill
from kinds.text import Name, Series

from .domain import FIRSTS, LASTS, Domain

ASKS = ("{a}", "Name: {a}", "Write {a} for the list.", "{a_last}, {a_first}", "How do we write {a}?")


def domains() -> list[Domain]:
    who, year = Name(FIRSTS, LASTS), Number(10, 99)
    return [Domain(name, description, "names", Skill(slots, asks, answer)) for name, description, slots, asks, answer in [
        ("register-names", "Names in the parish register", {"a": who}, ASKS, "{a_last} ({a_f}.)"),
        ("badge-names", "Names on visitors' badges", {"a": who}, ASKS, "*{a_first} {a_l}*"),
        ("citation-names", "Names in the notes of the Ostrand journal", {"a": who}, ASKS, "{a_f}. {a_last}, op."),
        ("login-names", "Logins from name and year", {"a": who, "b": year},
         ("{a}, joined {b}", "Login for {a}, year {b}", "{a} since {b}"), "u{b}_{a_last}"),
        ("team-rosters", "Who plays with whom", {"a": Series(Name(FIRSTS, LASTS), 2, 3, " and ", " + ", "last")},
         ("{a}", "Team: {a}", "{a} play today"), "team {a_out}"),
    ]]
