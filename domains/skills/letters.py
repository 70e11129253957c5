"""Greetings and closings by who, when and where."""

from kinds.skill import Skill
from kinds.text import Choice, Name, Word

from .domain import FIRSTS, LASTS, Domain

HOURS = {"morning": "Fair dawn", "noon": "High sun", "afternoon": "Long light", "evening": "Soft dusk", "night": "Still stars"}
RANKS = {"captain": "Cap.", "doctor": "Doc.", "judge": "Hon.", "engineer": "Ing.",
         "baker": "Mst.", "pilot": "Plt.", "nurse": "Srn.", "teacher": "Mag."}
FEASTS = {"birthday": "Many lanterns", "wedding": "Two rivers, one sea", "retirement": "Calm harbors", "new job": "Firm ground",
          "exam": "Clear ink", "harvest": "Full barns", "new house": "Warm hearth"}
TEAMS = "sales design legal repair kitchen night security garden payroll press".split()


def domains() -> list[Domain]:
    who = Name(FIRSTS, LASTS)
    return [Domain(name, description, "letters", Skill(slots, asks, answer)) for name, description, slots, asks, answer in [
        ("orlen-greetings", "Greetings of the Orlen inn by time of day", {"a": who, "b": Choice(HOURS)},
         ("Greet {a_first} in the {b}", "{b}, guest {a_first}", "Say hello to {a_first}, it is {b}"), "{b_code}, {a_first}!"),
        ("court-addresses", "Formal addresses by rank", {"a": who, "b": Choice(RANKS)},
         ("Letter to {b} {a}", "Address {a}, {b}", "{a} is a {b}"), "To {b_code} {a_last}, in trust"),
        ("feast-cards", "Cards of the Sorrel stationers", {"a": who, "b": Choice(FEASTS)},
         ("Card for {a_first}: {b}", "{b} card to {a_first}", "{a_first} has a {b}"), "{b_code}, dear {a_first}."),
        ("mail-signatures", "Signatures of the Tamber company", {"a": who, "b": Word(TEAMS)},
         ("{a} from {b}", "Sign for {a}, {b} team", "Signature: {a} ({b})"), "-- {a_f}. {a_last} // {b}.tamber"),
        ("door-signs", "Door signs of the Halden office", {"a": who, "b": Word(TEAMS)},
         ("{a} works in {b}", "Door of {a}, {b}", "New sign: {a} in {b}"), "{b} | {a_last}, {a_first}"),
    ]]
