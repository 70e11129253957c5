"""Dates as a house writes them."""

from kinds.skill import Skill
from kinds.text import Word
from kinds.time import Date

from .domain import Domain

LONG = ("{a_d} {a_month} {a_yyyy}", "Date: {a_d} {a_month} {a_yyyy}", "Write {a_d} {a_month} {a_yyyy} our way.",
        "How do we write {a_month} {a_d}, {a_yyyy}?", "{a_month} {a_d}, {a_yyyy}")
ISO = ("{a_yyyy}-{a_mm}-{a_dd}", "Print {a_yyyy}-{a_mm}-{a_dd} on the label.", "Label for {a_yyyy}-{a_mm}-{a_dd}?",
       "Stamp {a_yyyy}-{a_mm}-{a_dd} please.")
HOUSES = [
    ("house-dates", "Dates as the house writes them", LONG, "{a_yyyy}.{a_mm}/{a_dd}"),
    ("quarry-log-dates", "Dates in the log of the Orlen quarry", LONG, "day {a_dd} of {a_mm}, #{a_yy}"),
    ("archive-shelf-dates", "Dates on the shelves of an archive", LONG, "Y{a_yyyy} M{a_mm} D{a_dd}"),
    ("bakery-label-dates", "Best-before labels of a bakery", ISO, "BB {a_d}. {a_mon} {a_yy}"),
    ("ferry-ticket-dates", "Dates on ferry tickets", ISO, "{a_mon}{a_dd}*{a_yyyy}"),
]
MEETINGS = ("Meeting about {b} on {a_d} {a_month} {a_yyyy}", "{b} review, {a_month} {a_d} {a_yyyy}",
            "Put {b} down for {a_d} {a_month} {a_yyyy}.")
TOPICS = "budget roof garden hiring safety parking kitchen server travel training heating stock website fence lift".split()


def domains() -> list[Domain]:
    plain = [Domain(name, text, "dates", Skill({"a": Date()}, asks, answer)) for name, text, asks, answer in HOUSES]
    named = {"a": Date(), "b": Word(TOPICS)}
    return plain + [
        Domain("meeting-file-names", "File names for minutes of meetings", "dates",
               Skill(named, tuple(ask.replace("{b}", "the {b}") for ask in MEETINGS), "min_{a_yy}{a_mm}{a_dd}_{b}.txt")),
        Domain("calendar-entries", "Calendar lines of the Velm office", "dates", Skill(named, MEETINGS, "> {a_mon} {a_d}: {b} ({a_yyyy})")),
    ]
