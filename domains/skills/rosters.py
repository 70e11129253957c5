"""Who is where, and what to dial."""

from .domain import Domain, brands
from .facts import THINGS, codes, drawn, facts, people


def domains() -> list[Domain]:
    return [facts(name, text, "rosters", asked, people(name), told, answer) for name, text, asked, told, answer in [
        ("velm-extensions", "Telephone extensions at Velm", "extension", codes("velm", "{}", 20, 99), "ext 7{a_code}"),
        ("tower-rooms", "Rooms in the Aster tower", "room", codes("tower", "{}", 11, 99), "floor A-{a_code}"),
        ("crew-boats", "Boats of the Marrow rowing club", "boat", brands("crew boats", THINGS), "boat {a_code}"),
        ("mentor-pairs", "Mentors at the Quill school", "mentor", people("mentors"), "{a_code}, mentor"),
        ("locker-keys", "Lockers at the Gantry works", "locker", codes("locker", "L{}", 10, 99), "{a_code}#key"),
        ("choir-voices", "Seats in the Linden choir", "seat", drawn("choir", "first middle third", "alto tenor bass soprano solo drone treble chant"),
         "{a_code} row"),
    ]]
