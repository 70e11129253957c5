"""Spoken orders into what a machine reads."""

from kinds.numbers import Number
from kinds.skill import Skill
from kinds.text import Choice, Code

from .domain import Domain

MACHINES = [
    ("arm-commands", "Orders for a robot arm", ("move the arm {b} by {c}", "arm {b}, {c} steps", "take the arm {c} steps {b}"), "ARM.{b_code} {c}",
     {"left": "LF", "right": "RT", "up": "UP", "down": "DN", "forward": "FW", "back": "BK"}, Number(1, 400)),
    ("drone-commands", "Orders for a survey drone", ("drone, {b} {c} metres", "please {b} for {c} metres", "{b} by {c}"), "dr:{b_code}:{c};",
     {"climb": "asc", "sink": "des", "turn left": "yawL", "turn right": "yawR", "go on": "fwd", "return": "rev", "circle": "orb"}, Number(1, 300)),
    ("loom-commands", "Orders for a weaving loom", ("weave {c} rows of {b}", "{b} thread, {c} rows", "use {b} for {c} rows"), "W{c}/{b_code}",
     {"white": "W0", "black": "K9", "red": "R3", "blue": "B5", "green": "G6", "yellow": "Y2", "brown": "N4"}, Number(2, 200)),
    ("lighting-cues", "Cues for stage lights", ("set the {b} light to {c}", "{b} light at {c} percent", "bring {b} to {c}"), "LX {b_code}={c}",
     {"front": "F1", "back": "B2", "side": "S4", "floor": "G7", "balcony": "H8", "centre": "C3"}, Number(1, 99)),
    ("mixer-settings", "Settings of a dough mixer", ("mix {b} for {c} minutes", "{c} minutes of {b}", "run {b}, {c} minutes"), "mx({b_code},{c})",
     {"slow": "v1", "medium": "v4", "fast": "v8", "pulse": "p2", "fold": "f5", "knead": "k7"}, Number(1, 60)),
    ("valve-orders", "Orders to the valve house", ("{b} valve {c}", "valve {c}: {b} it", "please {b} valve {c} now"), "V[{c}]={b_code}",
     {"open": "OPN", "close": "CLS", "check": "CHK", "lock": "LCK", "drain": "DRN", "bypass": "BYP"}, Code("A99")),
    ("switchyard", "Orders to a railway switchyard",
     ("send wagon {c} to the {b} track", "wagon {c}, {b} track", "{b} track for wagon {c}"), "{c}=>T{b_code}",
     {"first": "10", "second": "20", "third": "30", "coal": "71", "grain": "72", "repair": "99", "empty": "00"}, Code("AA99")),
]


def domains() -> list[Domain]:
    return [Domain(name, description, "commands", Skill({"b": Choice(orders), "c": amount}, asks, answer))
            for name, description, asks, answer, orders, amount in MACHINES]
