"""A skill: questions with slots, and the one answer that its rule makes of them."""

from dataclasses import dataclass
from random import Random

from .kind import Kind


@dataclass(frozen=True)
class Skill:
    """`asks` are the wordings of the question, `answer` is one template over the parts of all slots.

    A slot `x` of parts "" and `dd` is written `{x}` and `{x_dd}`. Where `other_asks` is given, rows that
    are held out are asked in those words instead: then nothing but the facts can be carried over.
    """

    slots: dict[str, Kind]
    asks: tuple[str, ...]
    answer: str
    other_asks: tuple[str, ...] = ()

    def draw(self, rng: Random, held_out: bool = False) -> tuple[str, str]:
        """One question and its answer."""
        parts = {}
        for slot, kind in self.slots.items():
            for part, text in kind.draw(rng).items():
                parts[f"{slot}_{part}" if part else slot] = text
        asks = self.other_asks if held_out and self.other_asks else self.asks
        return rng.choice(asks).format_map(parts), self.answer.format_map(parts)

    def rule(self) -> str:
        """The rule in words, as a system turn can state it."""
        legends = [f"{slot}: {kind.legend()}" for slot, kind in self.slots.items() if kind.legend()]
        return "\n".join([f"{self.asks[0]} -> {self.answer}", *legends])
