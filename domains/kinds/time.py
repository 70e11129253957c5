"""Dates and times of day."""

from random import Random

from .kind import Kind

MONTHS = ["January", "February", "March", "April", "May", "June", "July",
          "August", "September", "October", "November", "December"]


class Date(Kind):
    """A day: `d`, `dd`, `m`, `mm`, `month`, `mon` (three letters), `yyyy`, `yy`."""

    def draw(self, rng: Random) -> dict[str, str]:
        day, month, year = rng.randint(1, 28), rng.randint(1, 12), rng.randint(1990, 2059)
        name = MONTHS[month - 1]
        return {"": f"{day} {name} {year}", "d": str(day), "dd": f"{day:02}", "m": str(month), "mm": f"{month:02}",
                "month": name, "mon": name[:3], "yyyy": str(year), "yy": f"{year % 100:02}"}


class Clock(Kind):
    """A time of day: `h12` with `ap` (am, pm), `h` and `hh` of 24, `mi` minutes."""

    def draw(self, rng: Random) -> dict[str, str]:
        hour, minute = rng.randint(0, 23), f"{rng.randint(0, 59):02}"
        h12, ap = str((hour - 1) % 12 + 1), "am" if hour < 12 else "pm"
        return {"": f"{h12}:{minute} {ap}", "h12": h12, "ap": ap, "h": str(hour), "hh": f"{hour:02}", "mi": minute}
