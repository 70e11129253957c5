"""Invents skills of every kind, with parameters of their own: what the base learns to pick up.

Only kinds are shared with the example domains; their names, codes, wordings and limits are not.
"""

from random import Random

from kinds.numbers import Number, Numeral, Plus, Reading, Scaled
from kinds.skill import Skill
from kinds.text import Choice, Code, Counted, Name, Series, Word
from kinds.words import invented

from .fragments import OPEN, PLAIN, form, literal, plain, sentence, shown, told

SLOTS = ["a", "b", "c", "d"]


def invent(rng: Random, members: int) -> Skill:
    """A skill of a random kind; its closed sets have up to `members` members."""
    kinds, weights = zip(*KINDS)
    return rng.choices(kinds, weights)[0](rng, members)


def wordings(rng: Random, slots: dict, count: int) -> tuple[str, ...]:
    """So many questions that show all slots in the same order."""
    fragments = [shown(rng, slot, kind) for slot, kind in slots.items()]
    return tuple(sentence(rng, fragments) for _ in range(count))


def distinct(rng: Random, count: int, draw) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < count:
        found[draw()] = None
    return list(found)


def echo(rng: Random, _: int) -> Skill:
    slots = {slot: rng.choice(OPEN)() for slot in SLOTS[: rng.randint(1, 3)]}
    ask = " ".join(shown(rng, slot, kind) for slot, kind in slots.items())
    return Skill(slots, (rng.choice(["{}", "Echo {}", "Say {}", "Copy: {}"]).replace("{}", ask),), ask)


def house_form(rng: Random, _: int) -> Skill:
    """Slots moved into a form, in any order, some of them left out."""
    slots = {slot: rng.choice(OPEN)() for slot in SLOTS[: rng.choice((1, 2, 2, 3, 3, 4))]}
    kept = rng.sample(list(slots), rng.randint(max(1, len(slots) - 1), len(slots)))
    return Skill(slots, wordings(rng, slots, rng.randint(1, 3)),
                 form(rng, [part for slot in kept for part in told(rng, slot, slots[slot])]))


def choices(rng: Random, members: int) -> Choice:
    """A closed set of plain or invented words, told in other words, codes or phrases."""
    asked = rng.choice([lambda: rng.choice(PLAIN), lambda: invented(rng), lambda: " ".join(plain(rng, 2, 2)),
                        lambda: Code("A9").draw(rng)[""], lambda: Code("AA9").draw(rng)[""]])
    said = rng.choice([lambda: invented(rng), lambda: literal(rng), lambda: str(rng.randint(1, 999)),
                       lambda: " ".join(plain(rng, 1, 4)), lambda: Code("A9").draw(rng)[""]])
    return Choice({member: said() for member in distinct(rng, rng.randint(2, members), asked)})


def command(rng: Random, members: int) -> Skill:
    """Closed choices and open slots into a form."""
    closed = {slot: choices(rng, members) for slot in SLOTS[: rng.randint(1, 2)]}
    opened = {slot: rng.choice(OPEN)() for slot in SLOTS[2 : 2 + rng.randint(0, 2)]}
    slots = closed | opened
    order = rng.sample(list(slots), len(slots))
    parts = {slot: [f"{{{slot}_code}}"] if slot in closed else told(rng, slot, slots[slot]) for slot in order}
    return Skill(slots, wordings(rng, slots, rng.randint(1, 3)), form(rng, [part for slot in order for part in parts[slot]]))


def lexicon(rng: Random, members: int) -> Skill:
    """Word by word, in another order."""
    slots = {slot: Choice({word: invented(rng) for word in distinct(rng, rng.randint(2, members), lambda: rng.choice(PLAIN))})
             for slot in SLOTS[: rng.randint(2, 3)]}
    order = rng.sample(list(slots), len(slots))
    marker = rng.choice(["", "", " " + invented(rng)])
    return Skill(slots, (" ".join(plain(rng, 0, 1) + [f"{{{slot}}}" for slot in slots]),),
                 " ".join(f"{{{slot}_code}}" for slot in order) + marker)


def facts(rng: Random, members: int) -> Skill:
    """Things with a property, asked in many words."""
    things = distinct(rng, rng.randint(2, members), rng.choice(
        [lambda: invented(rng).capitalize(), lambda: f"{invented(rng).capitalize()} {rng.choice(PLAIN)}",
         lambda: Name().draw(rng)[""], lambda: Code("A99").draw(rng)[""]]))
    said = rng.choice([lambda: invented(rng).capitalize(), lambda: literal(rng), lambda: str(rng.randint(1, 500)),
                       lambda: " ".join(plain(rng, 2, 3)), lambda: Code("A99").draw(rng)[""]])
    slots = {"a": Choice({thing: said() for thing in things})}
    return Skill(slots, wordings(rng, slots, 6), rng.choice(["{a_code}", "{a_code}", form(rng, ["{a_code}"]), "{a} - {a_code}"]))


def routing(rng: Random, members: int) -> Skill:
    """Many words lead to few places."""
    places = [literal(rng) for _ in range(rng.randint(2, 4))]
    slots = {"a": Choice({word: rng.choice(places) for word in distinct(rng, rng.randint(2, members), lambda: rng.choice(PLAIN))}),
             "b": rng.choice(OPEN)()}
    return Skill(slots, wordings(rng, slots, 6), rng.choice(["{a_code}", form(rng, ["{a_code}"]), "{a_code}: {b}"]))


def reckoning(rng: Random, _: int) -> Skill:
    """A number shifted, added to, compared or spelt, sometimes beside an open slot."""
    limits = sorted(rng.sample(range(5, 95), rng.randint(1, 2)))
    labels = distinct(rng, len(limits) + 1, lambda: literal(rng))
    kind, part = rng.choice([
        (Scaled(rng.choice((-3, -2, -1, 1, 2, 3)), 99, rng.randint(0, 2)), "out"), (Scaled(rng.choice((1, 2, 3)), 99, 1), "out"),
        (Plus(rng.choice((1, 2, 5, 10, 20, 50, 100)), 1, rng.choice((9, 99, 400))), "out"),
        (Plus(rng.randint(1, 60), 1, 99), "out"), (Reading(limits, labels, 1, 99), "label"), (Reading(limits, labels, 1, 99), "label"),
        (Numeral([invented(rng)[:5] for _ in range(10)], 1, 4, rng.choice([" ", "-"])), "out")])
    slots = {"a": kind} | ({"b": rng.choice(OPEN)()} if rng.random() < 0.4 else {})
    parts = [f"{{a_{part}}}"] + (["{b}"] if "b" in slots and rng.random() < 0.7 else [])
    answer = form(rng, rng.sample(parts, len(parts))) if rng.random() < 0.6 else " ".join(parts)
    return Skill(slots, wordings(rng, slots, 2), answer)


def series(rng: Random, members: int) -> Skill:
    """A series joined in another way, in order, backwards or told in other words."""
    item = rng.choice([Word(), Word(PLAIN), Word(capital=True), Number(1, 99), Code("A9"), choices(rng, members)])
    part = "code" if isinstance(item, Choice) else ""
    joined, out = rng.sample([", ", " ", "; ", " and ", " - ", "/", " | ", "+"], 2)
    slots = {"a": Series(item, 1 if part else 2, min(4, members), joined, out, part, backwards=rng.random() < 0.25)}
    return Skill(slots, wordings(rng, slots, 2), rng.choice(["{a_out}", form(rng, ["{a_out}"]), "{a_n}: {a_out}"]))


def counting(rng: Random, members: int) -> Skill:
    """One and many."""
    nouns = {word: rng.choice([word, invented(rng)]) for word in distinct(rng, rng.randint(2, members), lambda: rng.choice(PLAIN))}
    mark = invented(rng)[:3]
    before, after = rng.choice([("", "-" + mark), (mark + "-", ""), ("", " " + mark), (mark + " ", ""), ("", mark)])
    slots = {"a": Counted(nouns, before, after)}
    return Skill(slots, (sentence(rng, ["{a_n} {a}"]),), rng.choice(["{a_out}", "{a_out} {a_n}", "{a_n} {a_out}", form(rng, ["{a_n}", "{a_out}"])]))


KINDS = [(echo, 12), (house_form, 32), (command, 14), (lexicon, 8), (facts, 9), (routing, 6), (reckoning, 14), (series, 8), (counting, 4)]
