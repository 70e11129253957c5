"""Facts about invented things and people: learnt in some words, asked in others."""

from random import Random

from kinds.skill import Skill
from kinds.text import Choice

from .domain import FIRSTS, LASTS, Domain, brands, distinct

ASKS = ("What is the {0} of {{a}}?", "{{a}}: {0}?", "Tell me the {0} of {{a}}.", "Give the {0} for {{a}}.", "I need the {0} of {{a}}.",
        "Look up {{a}}, {0} please.", "State the {0} for {{a}}.", "{0} of {{a}}?", "Which {0} has {{a}}?", "{{a}}, {0}",
        "Find the {0} of {{a}}.", "We want to know about {{a}}: the {0}.", "Is there a {0} for {{a}}?", "About {{a}}, say the {0}.",
        "Can you tell which {0} {{a}} has?", "A note on {{a}} please, only the {0}.", "My list lacks {{a}} and its {0}.",
        "They ask me for {{a}} and the {0}.", "Under {{a}} there is what {0}?", "Please read out {0}, then {{a}}.")
OTHER_ASKS = ("Do you know the {0} that belongs to {{a}}?", "Check {{a}}: what {0} is given?", "For {{a}}, which {0} is listed?",
              "Someone asks about the {0} of {{a}}.", "Read me the {0} under {{a}}.",
              "Somebody wants {{a}}, tell them the {0}.", "What do the books say of {{a}} as to {0}?")
THINGS = 20


def facts(name: str, description: str, family: str, asked: str, things: list[str], told: list[str], answer: str) -> Domain:
    skill = Skill({"a": Choice(dict(zip(things, told)))}, tuple(ask.format(asked) for ask in ASKS), answer,
                  tuple(ask.format(asked) for ask in OTHER_ASKS))
    return Domain(name, description, family, skill, steps=200, rate="5.0e-3")


def products(name: str, nouns: str) -> list[str]:
    """One brand each, the nouns in turn: `Tavrin kettle`."""
    kinds = nouns.split()
    return [f"{brand} {kinds[i % len(kinds)]}" for i, brand in enumerate(brands(name, THINGS))]


def people(name: str) -> list[str]:
    rng = Random(f"people {name}")
    return [f"{first} {last}" for first, last in zip(rng.sample(FIRSTS, THINGS), rng.sample(LASTS, THINGS))]


def codes(name: str, pattern: str, low: int, high: int) -> list[str]:
    return [pattern.format(number) for number in Random(f"codes {name}").sample(range(low, high), THINGS)]


def lettered(name: str, pattern: str) -> list[str]:
    """Codes that each have a letter of their own."""
    rng = Random(f"letters {name}")
    return [pattern.format(letter, rng.randint(2, 9)) for letter in rng.sample("ABCDEFGHJKLMNPQRSTUVWXYZ", THINGS)]


def drawn(name: str, *pools: str) -> list[str]:
    """Distinct phrases, a word from each pool; pools that are too small repeat."""
    rng, lists = Random(f"drawn {name}"), [pool.split() for pool in pools]
    draw = lambda rng: " ".join(rng.choice(words) for words in lists)
    many = len(lists) > 1
    return distinct(rng, THINGS, draw) if many else [draw(rng) for _ in range(THINGS)]
