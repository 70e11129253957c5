"""Words out of syllables."""

from random import Random

ONSETS = "b d f g h j k l m n p r s t v w z br dr fl gr kl pl pr sk sl st tr sh ch th".split()
VOWELS = "a e i o u a e i o ai ea oo".split()
CODAS = ["", "", "", "n", "r", "l", "s", "t", "m", "k", "nd", "rn", "st"]


def invented(rng: Random) -> str:
    """Two or three syllables, lower case."""
    count = rng.choice((2, 2, 2, 3))
    syllables = [rng.choice(ONSETS) + rng.choice(VOWELS) for _ in range(count)]
    return "".join(syllables) + rng.choice(CODAS)
