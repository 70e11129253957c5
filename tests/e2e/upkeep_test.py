"""A fleet is backed up while it trains, loses its scheduler's disk, and goes on from the backup."""

import pathlib
import shutil
import subprocess
import unittest

from fleet import BIN, Fleet, small_domain, wait_until


def scheduler(*words, expect=0):
    """Runs mozgach-scheduler backup, restore or doctor; returns (stdout, stderr)."""
    done = subprocess.run([str(BIN / "mozgach-scheduler"), *map(str, words)], capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == expect, f"{words} left with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout, done.stderr


def all_over(fleet):
    jobs = fleet.jobs()
    over = all(job["state"] in ("succeeded", "failed", "cancelled") for job in jobs.values())
    return jobs if over else None


class UpkeepTest(unittest.TestCase):
    def test_disk_of_the_scheduler_is_lost_in_mid_training(self):
        with Fleet() as fleet:
            first = small_domain(fleet.root, "first", "house-dates")
            fleet.ctl("submit", first, "--wait")
            second = small_domain(fleet.root, "second", "oven-error-codes",
                                  training={"max_steps": 300, "save_steps": 50})
            third = small_domain(fleet.root, "third", "house-dates")
            fleet.ctl("submit", second, third)
            wait_until(lambda: fleet.jobs()["second"]["step"] > 0, 60, "the second job to train")
            backup = fleet.root / "backup"
            out, _ = scheduler("backup", "--data", fleet.root / "scheduler", "--output", backup)
            self.assertIn("3 jobs and 1 versions of 3 domains", out)
            self.assertIn("running", {job["state"] for job in fleet.jobs().values()})

            fleet.scheduler.kill()
            shutil.rmtree(fleet.root / "scheduler")
            out, _ = scheduler("restore", "--from", backup, "--data", fleet.root / "scheduler")
            self.assertRegex(out, "1 leased job is queued again|[2-9] leased jobs are queued again")
            scheduler("doctor", "--data", fleet.root / "scheduler", "--deep")
            fleet.start_scheduler()
            jobs = wait_until(lambda: all_over(fleet), 120, "every job to end")
            self.assertEqual({name: job["state"] for name, job in jobs.items()},
                             dict.fromkeys(["first", "second", "third"], "succeeded"))
            self.assertEqual(jobs["second"]["attempt"], 2)
            self.assertEqual(sorted((v["domain"], v["version"]) for v in fleet.versions()),
                             [("first", "v0001"), ("second", "v0001"), ("third", "v0001")])
            fleet.ctl("adapters", "verify")
            fleet.ctl("doctor", "--deep")
            self.assertEqual(fleet.ask("submit", first)[0]["outcome"], "unchanged")
            self.refuse_what_would_lose_something(fleet, backup)
            self.name_what_is_wrong(fleet)

    def refuse_what_would_lose_something(self, fleet, backup):
        data = fleet.root / "scheduler"
        _, said = scheduler("restore", "--from", backup, "--data", data, expect=1)
        self.assertIn("not empty", said)
        _, said = scheduler("backup", "--data", data, "--output", backup, expect=1)
        self.assertIn("is there already", said)
        _, said = scheduler("backup", "--data", fleet.root / "nowhere", "--output", fleet.root / "b",
                            expect=2)
        self.assertIn("holds no mozgach.db", said)
        scheduler("backup", "--data", data, expect=2)
        scheduler(expect=2)

    def name_what_is_wrong(self, fleet):
        version = pathlib.Path(fleet.versions()[0]["path"])
        shutil.rmtree(version)
        said, _ = fleet.ctl("doctor", expect=1)
        self.assertIn(f"problem: {version}: is missing", said)
        said, _ = scheduler("doctor", "--data", fleet.root / "scheduler", expect=1)
        self.assertIn(f"problem: {version}: is missing", said)
        # What the advice says helps.
        self.assertEqual(fleet.ask("submit", fleet.root / "first.yaml")[0]["outcome"], "requeued")
        self.assertEqual(fleet.ask("gc", "--dry-run")["garbage"], [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
