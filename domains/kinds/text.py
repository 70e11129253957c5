"""Words, names, codes, closed choices and series."""

from random import Random

from . import words
from .kind import Kind


class Word(Kind):
    """A word from a pool, or an invented one where there is no pool."""

    def __init__(self, pool=None, capital=False):
        self.pool, self.capital = pool, capital

    def draw(self, rng: Random) -> dict[str, str]:
        word = rng.choice(self.pool) if self.pool else words.invented(rng)
        return {"": word.capitalize() if self.capital else word}


class Name(Kind):
    """A person: `first`, `last` and their initials `f` and `l`."""

    def __init__(self, firsts=None, lasts=None):
        self.firsts, self.lasts = firsts, lasts

    def draw(self, rng: Random) -> dict[str, str]:
        first = rng.choice(self.firsts) if self.firsts else words.invented(rng).capitalize()
        last = rng.choice(self.lasts) if self.lasts else words.invented(rng).capitalize()
        return {"": f"{first} {last}", "first": first, "last": last, "f": first[0], "l": last[0]}


class Code(Kind):
    """A short code by pattern: `A` is a letter, `9` a digit, anything else itself."""

    def __init__(self, pattern: str):
        self.pattern = pattern

    def draw(self, rng: Random) -> dict[str, str]:
        drawn = {"A": lambda: rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ"), "9": lambda: rng.choice("0123456789")}
        return {"": "".join(drawn[c]() if c in drawn else c for c in self.pattern)}


class Choice(Kind):
    """One of a closed set; every member carries parts of its own (a plain string is the part `code`)."""

    def __init__(self, members: dict[str, str | dict[str, str]]):
        self.members = {m: p if isinstance(p, dict) else {"code": p} for m, p in members.items()}

    def draw(self, rng: Random) -> dict[str, str]:
        member = rng.choice(list(self.members))
        return {"": member, **self.members[member]}

    def legend(self) -> str:
        return ", ".join(f"{m} = {' '.join(p.values())}" for m, p in self.members.items() if p)


class Series(Kind):
    """Several values of one kind, joined one way in the question and another in `out`; `n` counts them."""

    def __init__(self, item: Kind, least: int, most: int, joined: str, out: str, part="", backwards=False):
        self.item, self.least, self.most, self.part = item, least, most, part
        self.joined, self.out, self.backwards = joined, out, backwards

    def draw(self, rng: Random) -> dict[str, str]:
        drawn = {}
        for _ in range(rng.randint(self.least, self.most)):
            parts = self.item.draw(rng)
            drawn[parts[""]] = parts[self.part]
        told = list(drawn.values())[:: -1 if self.backwards else 1]
        return {"": self.joined.join(drawn), "out": self.out.join(told), "n": str(len(drawn))}

    def legend(self) -> str:
        return self.item.legend()


class Counted(Kind):
    """So many of a noun; `out` is the noun as it stands for one, marked by `before` and `after` for more."""

    def __init__(self, nouns: dict[str, str], before: str, after: str, most: int = 60):
        self.nouns, self.before, self.after, self.most = nouns, before, after, most

    def draw(self, rng: Random) -> dict[str, str]:
        noun, n = rng.choice(list(self.nouns)), rng.choice((1, rng.randint(2, 9), rng.randint(2, self.most)))
        told = self.nouns[noun]
        return {"": noun, "n": str(n), "out": told if n == 1 else f"{self.before}{told}{self.after}"}

    def legend(self) -> str:
        told = ", ".join(f"{noun} = {word}" for noun, word in self.nouns.items())
        return f"{told}, many {self.before}*{self.after}"
