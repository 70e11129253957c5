"""Small invented languages: a lexicon and a word order."""

from kinds.skill import Skill
from kinds.text import Choice

from .domain import Domain, foreign

ADJECTIVES = "small old red quick quiet warm young tall wet proud".split()
NOUNS = "bird child river baker horse moon teacher wolf ship farmer tree cat".split()
VERBS = "sings sleeps waits runs falls turns laughs dreams grows hides".split()
OBJECTS = "bread water stone song fire cloth letter apple bell road".split()
DEEDS = "finds brings loses wants sees makes keeps sells".split()
PLACES = "house forest market bridge harbor field tower mill".split()

DESCRIBING = ("the {a} {n} {v}", {"a": ADJECTIVES, "n": NOUNS, "v": VERBS})
DOING = ("the {n} {d} the {o}", {"n": NOUNS, "d": DEEDS, "o": OBJECTS})
BEING = ("the {n} {v} in the {p}", {"n": NOUNS, "v": VERBS, "p": PLACES})
TONGUES = [
    ("lumo-phrases", "Lumo: the verb comes first", DESCRIBING, "{v_code} {n_code} {a_code}"),
    ("karsk-phrases", "Karsk: a sentence closes with `ko`", DESCRIBING, "{n_code} {a_code} {v_code} ko"),
    ("ovani-sentences", "Ovani: the object comes first", DOING, "{o_code} {n_code} {d_code}"),
    ("teshi-sentences", "Teshi: verb, then object, then subject", DOING, "{d_code} {o_code} {n_code}"),
    ("brell-places", "Brell: the place opens the sentence", BEING, "{p_code}, {n_code} {v_code}"),
    ("old-mirran", "Old Mirran: words are joined by dots", DESCRIBING, "{a_code}.{v_code}.{n_code}"),
]


def domains() -> list[Domain]:
    return [Domain(name, description, "languages", Skill(
        {slot: Choice(lexicon(name, words)) for slot, words in slots.items()}, (ask,), answer))
        for name, description, (ask, slots), answer in TONGUES]


def lexicon(name: str, words: list[str]) -> dict[str, str]:
    return foreign(f"{name} {words[0]}", words)
