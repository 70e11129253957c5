"""Tickets to queues by what they are about."""

from kinds.skill import Skill
from kinds.text import Choice, Word

from .domain import FIRSTS, Domain

ASKS = ("{b} writes: the {a} is broken.", "{b} asks about the {a}.", "Question by {b} on the {a}", "The {a} again, says {b}.",
        "{b} has trouble with the {a}", "New ticket from {b}: {a}", "{a}, {b}", "Can anyone help {b} with the {a}?",
        "We have a note here: {a}. It came from {b}.", "Please look at the {a} for {b}.", "{b} would like to talk about a {a}.",
        "There is no {a}, {b} reports.", "It is about the {a}. {b} waits for an answer.", "Where do I send {b}? It concerns the {a}.",
        "Wrong {a} at the place of {b}", "My {a} please, yours {b}", "The {a} that {b} wanted is late.", "A {a} for {b}, today if you can.")
OTHER_ASKS = (*ASKS, "{b} called, something about the {a}.", "Who looks after the {a}? {b} wants to know.", "Complaint: {a}. Sender: {b}.",
              "The {a} needs help, {b} tells us.")
DESKS = [
    ("harbor-ticket-routing", "Tickets of a harbor office to its desks", "{}", {
        "QUAY-1": "crane rope anchor mooring", "QUAY-2": "customs cargo container manifest",
        "DOCK-7": "hull paint rudder propeller", "TOWER": "radio signal fog pilot"}),
    ("clinic-front-desk", "Requests at a clinic's front desk", "-> {}", {
        "ward Ash": "fever cough allergy rash", "ward Birch": "knee elbow ankle shoulder",
        "ward Cedar": "appointment referral insurance receipt", "ward Dogwood": "tooth gum jaw filling"}),
    ("hotel-requests", "Wishes of hotel guests to the crew in charge", "crew {}", {
        "Linen": "towel pillow blanket sheet", "Spark": "lamp socket heater television",
        "Ladle": "breakfast tea menu dinner", "Bellhop": "luggage taxi stroller bicycle"}),
    ("garden-centre-help", "Questions to a garden centre", "bench {}", {
        "Moss": "rose tulip lily orchid", "Fern": "spade rake hose shears", "Reed": "pond fish pump fountain", "Clay": "pot soil compost gravel"}),
    ("school-office", "Notes to a school office", "tray/{}", {
        "blue": "homework exam essay grade", "amber": "lunch milk snack canteen", "grey": "bus route delay stop", "pink": "violin choir drum piano"}),
    ("bank-mail-sorting", "Mail of the Tressel bank", "box {}.", {
        "K4": "loan mortgage interest credit", "M9": "card pin chip terminal",
        "R2": "pension fund bond share", "T6": "password login token browser"}),
    ("theatre-crew", "Backstage calls to the crews of a theatre", "crew: {}", {
        "Lux": "spotlight dimmer filter lantern", "Vox": "microphone speaker cable mixer",
        "Plank": "curtain scenery trapdoor ramp", "Stitch": "costume wig shoe glove"}),
    ("farm-radio", "Calls over the radio of a farm", "go {} team", {
        "Barn": "cow calf goat lamb", "Acre": "wheat barley maize beet", "Wheel": "tractor trailer plough axle", "Coop": "hen egg feed duckling"}),
]


def domains() -> list[Domain]:
    return [Domain(name, description, "routing", Skill(
        {"a": Choice({word: place for place, words in places.items() for word in words.split()}), "b": Word(FIRSTS)},
        ASKS, form.format("{a_code}"), OTHER_ASKS), steps=200, rate="3.0e-3") for name, description, form, places in DESKS]
