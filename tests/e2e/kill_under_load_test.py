"""A scheduler under the calls of 64 workers, of people who submit and name versions, of backups and of the collection of
garbage, killed again and again in the middle of all that.  What it said stays said."""

import contextlib
import pathlib
import random
import sqlite3
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from fleet import BUILD, BIN, Fleet  # noqa: E402

KILLS = 4
WORKERS = 64


def rows(fleet, query):
    """What a reader beside the scheduler sees in its database."""
    with contextlib.closing(sqlite3.connect(f"file:{fleet.root}/scheduler/mozgach.db?mode=ro", uri=True)) as database:
        return database.execute(query).fetchall()


class Crowd:
    """Everybody who calls until the scheduler goes; what each was told."""

    def __init__(self, fleet, number):
        self.fleet, self.number, self.gone = fleet, number, threading.Event()
        self.accepted, self.aliases = [], {}
        self.witness = subprocess.Popen([BUILD / "tests/fleet_load", fleet.address, "witness", "60", str(WORKERS)],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.people = [threading.Thread(target=person) for person in (self.submit, self.name, self.keep)]
        for person in self.people:
            person.start()

    def load(self, *words):
        return subprocess.run([BUILD / "tests/fleet_load", self.fleet.address, *map(str, words)],
                              capture_output=True, text=True, check=False).returncode == 0

    def ctl(self, *words):
        done = subprocess.run([BIN / "mozgachctl", "--scheduler", self.fleet.address, *map(str, words)],
                              capture_output=True, text=True, check=False, timeout=60)
        return done.stdout if done.returncode == 0 else None

    def submit(self):
        batch = 0
        while not self.gone.is_set():
            prefix = f"r{self.number}-{batch}"
            if self.load("submit", 500, prefix):
                self.accepted += [f"{prefix}-{i}" for i in range(500)]
            batch += 1

    def name(self):
        while not self.gone.is_set():
            for (domain,) in rows(self.fleet, "SELECT domain FROM versions WHERE state = 'published' "
                                              "ORDER BY random() LIMIT 1"):
                if self.ctl("adapters", "alias", domain, "chosen", "v0001") is not None:
                    self.aliases[domain] = 1

    def keep(self):
        for turn in range(1000):
            if self.gone.is_set():
                return
            subprocess.run([BIN / "mozgach-scheduler", "backup", "--data", self.fleet.root / "scheduler", "--output",
                            self.fleet.root / f"backup-{self.number}-{turn}"],
                           capture_output=True, check=False)
            self.ctl("gc")

    def leave(self):
        """The numbers of the jobs of which a worker was told that they are over."""
        self.gone.set()
        told = self.witness.communicate(timeout=60)[0].splitlines()
        for person in self.people:
            person.join()
        return [int(line) for line in told if line.isdigit()]


class KillUnderLoadTest(unittest.TestCase):
    def check(self, fleet, over, accepted, aliases):
        done = subprocess.run([BUILD / "tests/check_invariants", fleet.root / "scheduler", "--clock-jumped"],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.stdout, "")
        ended = {job for (job,) in rows(
            fleet, "SELECT job FROM jobs WHERE state IN ('succeeded', 'failed', 'cancelled')")}
        self.assertEqual(set(over) - ended, set(), "a worker was told that these jobs are over")
        domains = {domain for (domain,) in rows(fleet, "SELECT domain FROM domains")}
        self.assertEqual(set(accepted) - domains, set(), "somebody was told that these domains are queued")
        named = {domain for (domain,) in rows(fleet, "SELECT domain FROM aliases WHERE alias = 'chosen'")}
        self.assertEqual(set(aliases) - named, set(), "somebody was told that these have an alias")

    def test_what_was_said_stays(self):
        over, accepted, aliases = [], [], {}
        with Fleet(workers=0) as fleet:
            # A slow machine needs more of them for much to be said.
            for number in range(4 * KILLS):
                if number >= KILLS and len(over) > 100 and len(accepted) > 1000 and len(aliases) > 1:
                    break
                crowd = Crowd(fleet, number)
                time.sleep(random.uniform(1, 2.5))
                fleet.scheduler.kill()
                over += crowd.leave()
                accepted += crowd.accepted
                aliases |= crowd.aliases
                self.check(fleet, over, accepted, aliases)
                fleet.start_scheduler()
            backups = sorted(fleet.root.glob("backup-*"))
            self.assertTrue(backups)
            restored = fleet.root / "restored"
            for words in (["restore", "--from", backups[-1]], ["doctor"]):
                done = subprocess.run([BIN / "mozgach-scheduler", *words, "--data", restored],
                                      capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            done = subprocess.run([BIN / "mozgachctl", "--scheduler", fleet.address, "doctor", "--deep"],
                                  capture_output=True, text=True, check=False, timeout=120)
            self.assertNotIn("problem", done.stdout)
        print(f"{len(over)} jobs over, {len(accepted)} domains accepted, {len(aliases)} aliases set, as was said")
        self.assertGreater(len(over), 100)
        self.assertGreater(len(accepted), 1000)
        self.assertGreater(len(aliases), 1)


if __name__ == "__main__":
    unittest.main()
