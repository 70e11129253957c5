"""Times of day as different places tell them."""

from kinds.skill import Skill
from kinds.text import Choice, Code, Word
from kinds.time import Clock

from .domain import Domain

PLAIN = ("{a}", "What is {a} on our clock?", "Write {a} for the board.", "It is {a}.", "Time: {a}", "Change {a} to station time.")
STOPS = "Arvik Belmar Corven Dunmore Estel Farrow Gilden Hartle Imber Jasmere Kelda Lorrin Merrow Nettle Ostrand".split()
DAYS = {day: {"short": day[:2]} for day in "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()}


def domains() -> list[Domain]:
    clock = {"a": Clock()}
    tram = {"a": Clock(), "b": Word(STOPS)}
    shift = {"a": Clock(), "b": Choice(DAYS)}
    return [
        Domain("station-clock", "Times on the board of a railway station", "clocks", Skill(clock, PLAIN, "{a_hh}h{a_mi}")),
        Domain("kitchen-timer", "Times as the canteen kitchen notes them", "clocks", Skill(clock, PLAIN, "{a_mi} past {a_h12} ({a_ap})")),
        Domain("tram-departures", "Departure lines of the Cask Street tram", "clocks",
               Skill(tram, ("The tram to {b} leaves at {a}.", "{a}, tram for {b}", "Next to {b}: {a}"), "{b} >> {a_hh}.{a_mi}"), steps=200),
        Domain("shift-slots", "Start of shift by weekday and time", "clocks",
               Skill(shift, ("{b} at {a}", "Start on {b}, {a}.", "I begin at {a} on {b}"), "{b_short}-{a_hh}{a_mi}"), steps=200),
        Domain("gate-log-times", "Lines in the log of the yard gate", "clocks",
               Skill({"a": Clock(), "b": Code("A9-99")}, ("Truck {b} came in at {a}.", "At {a} truck {b} arrived", "{b} entered, {a}"),
                     "IN {a_hh}{a_mi} <{b}>")),
    ]
