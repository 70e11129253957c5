"""Readings against limits."""

from kinds.numbers import Number, Reading
from kinds.skill import Skill

from .domain import Domain

GAUGES = [
    ("pump-alarms", "Pressure alarms of the Quarne pumps", ("Pump {b} at {a} bar", "{a} bar on pump {b}", "pump {b} shows {a} bar"),
     "{a_label} P{b}", [60], ["calm", "ALARM"]),
    ("cold-store", "Temperatures in a cold store", ("Cell {b} is at {a} degrees", "{a} degrees in cell {b}", "cell {b}: {a}"),
     "cell {b} {a_label}", [35, 70], ["frosty", "steady", "too warm"]),
    ("tank-levels", "Filling levels of dye tanks", ("Tank {b} holds {a} percent", "{a} percent in tank {b}", "tank {b}, level {a}"),
     "T{b}:{a_label}", [30, 70], ["refill", "good", "stop"]),
    ("noise-watch", "Noise near the Calden works", ("{a} decibels at post {b}", "Post {b} hears {a}", "post {b}: {a} decibels"),
     "{a_label}/{b}", [45, 70], ["hush", "hum", "roar"]),
    ("grain-moisture", "Moisture of grain lots", ("Lot {b} has moisture {a}", "moisture {a} in lot {b}", "lot {b} reads {a}"),
     "lot {b} > {a_label}", [35], ["silo", "dryer"]),
    ("exam-marks", "Marks of the Quill school", ("Pupil {b} scored {a}", "{a} points for pupil {b}", "pupil {b}, {a} points"),
     "{b} = {a_label}", [40, 75], ["again", "pass", "honour"]),
    ("parking-load", "How full car parks are", ("{a} cars in park {b}", "Park {b} counts {a} cars", "park {b}: {a} cars"),
     "[{a_label}] {b}", [40, 80], ["green", "amber", "full"]),
]


def domains() -> list[Domain]:
    return [Domain(name, description, "alarms", Skill({"a": Reading(limits, labels, 10, 99), "b": Number(1, 40)}, asks, answer), steps=200)
            for name, description, asks, answer, limits, labels in GAUGES]
