"""Pieces of invented questions and answers: plain words, sentences round slots, house forms."""

from random import Random

from kinds.numbers import Money, Number
from kinds.text import Code, Name, Word
from kinds.time import Clock, Date
from kinds.words import invented

PLAIN = """a about account add after again all alarm amount an and any are arm as ask at away back bag bank be before
belt bill block board boat book box bring building bus button by cabin call can card carry case change check city class
clean clear client close code cold color come company copy cost count country crate cup customer cut date day deliver
desk device do does door down drive drop due email empty engine enter error extension fan fast field file fill find
first fix flag floor for form from full garden gate get give go goods green group guest hall has have head hello help
her here him his hold home hour house how i in into invoice is it item job keep key kind know lamp last late left level
lift light like line list load lock look lost machine mail make many map me mean meet member message meter month more
morning most motor move much my name need new next night no noon not note now number of off office oil old on one open
or order other our out over own page paid paint paper parcel part pay person phone pick pipe place plan plant please
plus point port press price print pump put queue rack rate read ready red report right ring road room row run safe say
schedule screen screw seat see send serial set shelf shift ship shop show side sign size slot slow small speed spell
staff start state station stock stop store street switch table take tank tell text than that the their them there this
ticket time tin to today tool top total town track train translate turn two unit until up urgent us use valve van wall
want was watch water way we week weight what when where which white who whose why wide will window with work write yard
year yellow you your""".split()

OPEN = [lambda: Word(), lambda: Word(capital=True), lambda: Name(), lambda: Code("A9"), lambda: Code("AA-99"),
        lambda: Code("A999"), lambda: Number(1, 99), lambda: Number(100, 99999), lambda: Number(1, 999, 4),
        lambda: Money(400), lambda: Date(), lambda: Clock()]
SHOWN = {Date: ["{x_d} {x_month} {x_yyyy}", "{x_month} {x_d}, {x_yyyy}", "{x_yyyy}-{x_mm}-{x_dd}", "{x_d} {x_mon} {x_yyyy}",
                "{x_dd}.{x_mm}.{x_yyyy}", "{x_mm}/{x_dd}/{x_yyyy}"],
         Clock: ["{x_h12}:{x_mi} {x_ap}", "{x_hh}:{x_mi}"]}
TOLD = {Name: ["", "last first", "last f", "f last", "f l", "first", "last", "first l"],
        Date: ["yyyy mm dd", "dd mm yy", "d mon yyyy", "mon d", "yy m d", "dd mon yy", "month yyyy", "d m yyyy", "mm yy", "mon yy d"],
        Clock: ["hh mi", "h mi", "h12 mi ap", "mi h"], Money: ["", "whole cents"], Number: ["", "", "wide"]}
SEPARATORS = ["-", "/", ".", ":", "|", " ", " ", ", ", "; ", "_", "#", "=", " > ", " at ", " - ", "+"]


def plain(rng: Random, least: int, most: int) -> list[str]:
    return [rng.choice(PLAIN) for _ in range(rng.randint(least, most))]


def shown(rng: Random, slot: str, kind) -> str:
    """The slot as a question writes it."""
    return rng.choice(SHOWN.get(type(kind), ["{x}"])).replace("{x", "{" + slot)


def told(rng: Random, slot: str, kind) -> list[str]:
    """The parts of the slot that an answer may show, in order."""
    parts = rng.choice(TOLD.get(type(kind), [""])).split(" ")
    return ["{" + (f"{slot}_{part}" if part else slot) + "}" for part in parts]


def sentence(rng: Random, fragments: list[str]) -> str:
    """Plain words round the fragments, in their order."""
    words = [] if rng.random() < 0.1 else plain(rng, 1, 4)
    for fragment in fragments:
        words += [fragment, *plain(rng, 0, 3)]
    if rng.random() < 0.7:
        words[0] = words[0] if "{" in words[0] else words[0].capitalize()
    return " ".join(words) + rng.choice(["", "", ".", "?"])


def literal(rng: Random) -> str:
    """What a house writes of its own."""
    return rng.choice([
        lambda: "".join(rng.choice("ABCDEFGHIJKLMNOPRSTUVWXYZ") for _ in range(rng.randint(1, 3))),
        lambda: invented(rng), lambda: invented(rng).capitalize(), lambda: rng.choice(PLAIN),
        lambda: " ".join(plain(rng, 2, 3)).capitalize(), lambda: str(rng.randint(1, 99))])()


def form(rng: Random, fragments: list[str]) -> str:
    """A house form: the fragments with separators and, mostly, literals of its own."""
    separators = rng.choices(SEPARATORS, k=2)
    text = fragments[0]
    for fragment in fragments[1:]:
        text += rng.choice(separators) + fragment
    if rng.random() < 0.6:
        text = literal(rng) + rng.choice(SEPARATORS) + text
    if rng.random() < 0.35:
        text += rng.choice(SEPARATORS + [""]) + literal(rng)
    return rng.choice(["{}", "{}", "{}", "({})", "[{}]", "<{}>", "{}.", "{}!"]).replace("{}", text)
