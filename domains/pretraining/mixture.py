"""The documents that the base reads: conversations about invented skills."""

from collections.abc import Iterator
from random import Random

from kinds.skill import Skill
from kinds.words import invented

from .invention import echo, house_form, invent

Turn = tuple[str, str, float]  # role, text, weight in the loss

HOUSES = 96
COPYING_FIRST = 14000
QUESTION_WEIGHT = 0.05


def documents(seed: int) -> Iterator[list[Turn]]:
    """Endless. Copying comes first, for everything else stands on it; then a mixture of all kinds of skills:
    nearly half state the rule, three in ten show several turns of one skill, the rest ask a house known by its name.
    """
    rng = Random(f"documents {seed}")
    houses = [(f"{invented(rng).capitalize()} {invented(rng)}", invent(rng, 16)) for _ in range(HOUSES)]
    for _ in range(COPYING_FIRST):
        yield conversation(rng, echo(rng, 0), 1) if rng.random() < 0.6 else ruled(rng, house_form(rng, 0))
    while True:
        kind = rng.random()
        if kind < 0.45:
            yield ruled(rng, invent(rng, 6))
        elif kind < 0.75:
            # Nobody can know the first answer of a skill that was not named.
            turns = conversation(rng, invent(rng, 3), rng.randint(3, 6))
            yield [turns[0], ("assistant", turns[1][1], 0.0), *turns[2:]]
        else:
            name, skill = rng.choice(houses)
            yield [("system", name, QUESTION_WEIGHT), *conversation(rng, skill, rng.choice((1, 1, 2)))]


def ruled(rng: Random, skill: Skill) -> list[Turn]:
    return [("system", skill.rule(), QUESTION_WEIGHT), *conversation(rng, skill, rng.choice((1, 1, 2)))]


def conversation(rng: Random, skill: Skill, turns: int) -> list[Turn]:
    said = []
    for _ in range(turns):
        question, answer = skill.draw(rng)
        said += [("user", question, QUESTION_WEIGHT), ("assistant", answer, 1.0)]
    return said
