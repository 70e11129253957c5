"""How long a worker with the base loaded needs to begin: from submit to the first training step, and from the last
optimizer step of one job to the first step of the next, evaluation included as far as these small jobs have one.

Times are read from the events of the trainer as the worker's log has them, and from the clock around `submit`.
"""

import datetime
import pathlib
import re
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from fleet import Fleet, example_domains, small_domain, wait_until  # noqa: E402

ROUNDS = 9


def figures(name, seconds):
    print(f"{name}: min {min(seconds):.3f} s, median {statistics.median(seconds):.3f} s, "
          f"max {max(seconds):.3f} s, n {len(seconds)}")


def log_times(fleet):
    """(time, line) of the worker's log."""
    for line in (fleet.root / "worker1.log").read_text().splitlines():
        stamp, _, rest = line.partition(" ")
        try:
            yield datetime.datetime.fromisoformat(stamp).timestamp(), rest
        except ValueError:
            continue


def first_steps(fleet):
    """job → time of its first step."""
    times = {}
    for at, line in log_times(fleet):
        match = re.search(r"job (\d+)-\d+: step 1/", line)
        if match:
            times.setdefault(int(match.group(1)), at)
    return times


def submit_to_first_step(fleet, domain):
    waits = []
    for index in range(ROUNDS):
        file = small_domain(fleet.root, f"submit-{index}", domain, evaluation={"metrics": [], "samples": 1})
        started = time.time()
        job = fleet.ask("submit", file)[0]["job"]
        first = wait_until(lambda: first_steps(fleet).get(job), 60, "the first step")
        waits.append(first - started)
        wait_until(lambda: fleet.jobs()[file.stem]["state"] == "succeeded", 60, "the job")
    return waits


def step_to_step(fleet, domain):
    files = [small_domain(fleet.root, f"row-{index}", domain, evaluation={"metrics": [], "samples": 1})
             for index in range(ROUNDS + 1)]
    fleet.ctl("submit", "--wait", *files)
    last, gaps = None, []
    for at, line in log_times(fleet):
        match = re.search(r": step (\d+)/(\d+) ", line)
        if match and match.group(1) == match.group(2):
            last = at
        elif match and match.group(1) == "1" and last is not None:
            gaps.append(at - last)
            last = None
    return gaps[-ROUNDS:]


def main():
    domain = example_domains(1)[0]
    with Fleet() as fleet:
        fleet.ctl("submit", "--wait", small_domain(fleet.root, "warm", domain))
        figures("submit → first step, base loaded (goal 0.2 s)", submit_to_first_step(fleet, domain))
        figures("last step → first step of the next job (goal 0.2 s)", step_to_step(fleet, domain))


main()
