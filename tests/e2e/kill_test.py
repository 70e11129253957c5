"""Scheduler, worker and trainer die at random moments of a ten-domain run; every domain ends with one version.

MOZGACH_SEED repeats a run.
"""

import os
import random
import time
import unittest

from fleet import Fleet, example_domains, small_domain, wait_until

KILLS = 12


class KillTest(unittest.TestCase):
    def kill_one(self, fleet, victim):
        if victim == "trainer":
            fleet.kill_trainer("worker1")
        elif victim == "worker":
            fleet.workers["worker1"].kill()
            time.sleep(self.random.uniform(0, 0.5))
            fleet.start_worker("worker1")
        else:
            fleet.scheduler.kill()
            time.sleep(self.random.uniform(0, 0.5))
            fleet.start_scheduler()

    def test_ten_domains_survive_a_dozen_kills(self):
        seed = int(os.environ.get("MOZGACH_SEED", time.time_ns() % 100000))
        print(f"MOZGACH_SEED={seed}")
        self.random = random.Random(seed)
        names = example_domains(10)
        with Fleet() as fleet:
            files = [small_domain(fleet.root, f"k-{name}"[:60], name, training={"max_steps": 60, "save_steps": 10})
                     for name in names]
            fleet.ctl("submit", *files)
            for _ in range(KILLS):
                time.sleep(self.random.uniform(0.1, 2.5))
                self.kill_one(fleet, self.random.choice(["trainer", "worker", "scheduler"]))
            states = wait_until(
                lambda: (lambda jobs: jobs if all(j["state"] in ("succeeded", "failed", "cancelled")
                                                  for j in jobs.values()) else None)(fleet.jobs()),
                240, "the queue to empty")
            self.assertEqual({name: job["state"] for name, job in states.items()},
                             {file.stem: "succeeded" for file in files},
                             {name: job["reason"] for name, job in states.items()})
            self.assertEqual(sorted((v["domain"], v["version"]) for v in fleet.versions()),
                             sorted((file.stem, "v0001") for file in files))
            self.assertEqual(len(fleet.ask("ps", "--all")), 10)
            fleet.ctl("adapters", "verify")


if __name__ == "__main__":
    unittest.main(verbosity=2)
