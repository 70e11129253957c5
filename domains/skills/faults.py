"""Error codes and what to do about them."""

from .domain import Domain, brands
from .facts import THINGS, codes, drawn, facts, lettered

VERBS = "replace clean press reset inspect grease"


def domains() -> list[Domain]:
    return [facts(name, text, "faults", asked, lettered(name, pattern), told, answer) for name, text, asked, pattern, told, answer in [
        ("press-error-codes", "Error codes of the Harrow press", "remedy", "E-{}{}",
         drawn("press", VERBS, "roller belt nozzle plate spring guard"), "{a_code}."),
        ("oven-error-codes", "Error codes of the Solano oven", "remedy", "oven code {}{}",
         drawn("oven", VERBS, "burner door seal grill probe fan"), "first {a_code}"),
        ("lift-fault-crews", "Which crew answers a lift fault", "crew", "lift fault {}{}", brands("lift crews", THINGS), "call {a_code}"),
        ("router-lamp-codes", "Lamp codes of the Fenn router", "meaning", "lamp {}-{}",
         drawn("router", "slow lost weak closed full", "line port signal queue link clock"), "{a_code} (Fenn)"),
        ("boiler-manual-pages", "Pages of a boiler manual", "page", "fault {}{}", codes("boiler", "{}", 11, 99), "p. {a_code}"),
    ]]
