"""One example domain, and what the families share to make theirs."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from kinds.skill import Skill
from kinds.words import invented

FIRSTS = """Ada Boris Carla Dmitri Elena Felix Greta Hugo Irina Jonas Katya Leon Marta Nikolai Olga Pavel Rosa Stefan
Tamara Ulrich Vera Wanda Yusuf Zoya Amir Bella Cyril Daria Emil Fatima Goran Hanna Igor Julia Kamil Lidia Milan Nora
Oskar Petra Radek Sonja Timur Ursula Viktor Yana""".split()
LASTS = """Abel Bauer Castro Dorn Egger Fischer Galen Horvat Ivanov Jansen Keller Lopez Moreno Novak Olsen Petrov Quint
Rossi Santos Tanaka Urban Varga Weber Young Zeman Arden Blum Cerny Duran Ekman Falk Grant Hess Iverson Joshi Krause
Lang Marek Nagy Ortiz Pavlov Reed Silva Toth Voss Wolf""".split()


@dataclass(frozen=True)
class Domain:
    name: str
    description: str
    family: str
    skill: Skill
    steps: int = 160
    rate: str = "8.0e-3"


def brands(name: str, count: int) -> list[str]:
    """Invented names that belong to this domain alone."""
    return distinct(Random(f"brands {name}"), count, lambda rng: invented(rng).capitalize())


def foreign(name: str, plain: list[str]) -> dict[str, str]:
    """An invented word for each plain one."""
    return dict(zip(plain, distinct(Random(f"lexicon {name}"), len(plain), invented)))


def distinct(rng: Random, count: int, draw: Callable[[Random], str]) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < count:
        found[draw(rng)] = None
    return list(found)
