"""Invented lands, stars and peoples."""

from .domain import Domain, brands
from .facts import THINGS, codes, drawn, facts


def domains() -> list[Domain]:
    return [facts(name, text, "almanac", asked, [form.format(thing) for thing in brands(name, THINGS)], told, answer)
            for name, text, asked, form, told, answer in [
        ("orrin-capitals", "Capitals of the Orrin continent", "capital", "{}", brands("orrin towns", THINGS), "{a_code}"),
        ("river-mouths", "Where the rivers of Orrin end", "mouth", "river {}", brands("river seas", THINGS), "sea of {a_code}"),
        ("peak-heights", "Heights of invented peaks", "height", "Mount {}", codes("peaks", "{}", 31, 99), "{a_code} hundred ells"),
        ("moon-colours", "Moons and their colours", "colour", "moon {}",
         drawn("moons", "dusty glassy ashen frosted", "violet silver jade crimson pearl indigo"), "{a_code}"),
        ("tribe-totems", "Totems of invented clans", "totem", "clan {}",
         drawn("totems", "grey red old lone", "heron otter lynx badger adder stag"), "the {a_code}"),
    ]]
