"""The contract of a kind of slot value."""

from random import Random


class Kind:
    """Draws one value and names its parts.

    `draw` returns part name -> text. The part "" is the value as it is usually asked;
    other parts are what an answer may need of it (`dd` of a date, `out` of a converted number).
    """

    def draw(self, rng: Random) -> dict[str, str]:
        raise NotImplementedError

    def legend(self) -> str:
        """The rule behind the parts in words, empty where there is nothing to tell."""
        return ""
