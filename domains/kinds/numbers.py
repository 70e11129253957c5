"""Numbers: plain, shifted by powers of ten, added to, compared, spelt."""

from decimal import Decimal
from random import Random

from .kind import Kind


class Number(Kind):
    """A whole number; `wide` is the same with leading zeros up to `width` digits."""

    def __init__(self, least: int, most: int, width: int = 0):
        self.least, self.most, self.width = least, most, width

    def draw(self, rng: Random) -> dict[str, str]:
        number = rng.randint(self.least, self.most)
        return {"": str(number), "wide": str(number).zfill(self.width)}


class Money(Kind):
    """An amount with cents: `whole` and `cents`."""

    def __init__(self, most: int):
        self.most = most

    def draw(self, rng: Random) -> dict[str, str]:
        whole, cents = str(rng.randint(1, self.most)), f"{rng.randint(0, 99):02}"
        return {"": f"{whole}.{cents}", "whole": whole, "cents": cents}


class Scaled(Kind):
    """A number with up to `decimals` places; `out` is it times a power of ten."""

    def __init__(self, power: int, most: int, decimals: int = 0):
        self.power, self.most, self.decimals = power, most, decimals

    def draw(self, rng: Random) -> dict[str, str]:
        places = rng.randint(0, self.decimals)
        number = Decimal(rng.randint(1, self.most * 10**places)).scaleb(-places)
        return {"": plain(number), "out": plain(number.scaleb(self.power))}

    def legend(self) -> str:
        return f"times {plain(Decimal(1).scaleb(self.power))}"


class Plus(Kind):
    """A whole number; `out` is it plus a fixed amount."""

    def __init__(self, amount: int, least: int, most: int):
        self.amount, self.least, self.most = amount, least, most

    def draw(self, rng: Random) -> dict[str, str]:
        number = rng.randint(self.least, self.most)
        return {"": str(number), "out": str(number + self.amount)}

    def legend(self) -> str:
        return f"plus {self.amount}"


class Reading(Kind):
    """A measured number; `label` says between which limits it lies (a limit belongs to the upper side)."""

    def __init__(self, limits: list[int], labels: list[str], least: int, most: int):
        self.limits, self.labels, self.least, self.most = limits, labels, least, most

    def draw(self, rng: Random) -> dict[str, str]:
        number = rng.randint(self.least, self.most)
        return {"": str(number), "label": self.labels[sum(number >= limit for limit in self.limits)]}

    def legend(self) -> str:
        upper = [f"from {limit} {label}" for limit, label in zip(self.limits, self.labels[1:])]
        return ", ".join([f"below {self.labels[0]}", *upper])


class Numeral(Kind):
    """A number of `least` to `most` digits; `out` spells it digit by digit."""

    def __init__(self, spelt: list[str], least: int, most: int, joined: str):
        self.spelt, self.least, self.most, self.joined = spelt, least, most, joined

    def draw(self, rng: Random) -> dict[str, str]:
        digits = [rng.randint(1, 9)] + [rng.randint(0, 9) for _ in range(rng.randint(self.least, self.most) - 1)]
        return {"": "".join(map(str, digits)), "out": self.joined.join(self.spelt[d] for d in digits)}

    def legend(self) -> str:
        return " ".join(f"{digit} {word}" for digit, word in enumerate(self.spelt))


def plain(number: Decimal) -> str:
    """Without an exponent and without trailing zeros after the point."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
