"""A day of a small fleet, in which one named moment goes wrong; afterwards everything is as it should be.

The moments are the failpoints of the three programs (failpoint/failpoint.h).  Programs that end are started again,
as systemd does.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading
import time

from fleet import BIN, BUILD, DOMAINS, Fleet, example_domains, small_domain, wait_until

PROGRAMS = ("scheduler", "worker", "trainer")
TINY = DOMAINS / "bases/mozgach/tiny"
PATIENCE = 120

# Steps that this day does not take, and where they are taken.
ELSEWHERE = {
    "registry.alias.displace": "somebody puts a file where a link belongs: registry_test",
    "registry.alias.remove": "a name is taken back: adapter_store_test",
    "registry.database.settle": "a start after a death: the power cuts",
    "registry.database.settle_name": "a start after a death: the power cuts",
    "scheduler.base_config.learn": "a base that lies on a worker's own disk: the simulation",
    "scheduler.incarnation.begin": "a restore: the simulation",
    "scheduler.lease.hand_over": "a worker that starts again and knows its attempt: scheduler_test",
    "scheduler.old_jobs.plan": "jobs of an older schema: scheduler_test",
    "scheduler.publication.abandon": "staged files that are gone: scheduler_test",
    "scheduler.worker.save_calls": "every ten minutes: the simulation",
    "registry.version.settle": "a start after a death between the reveal and its note: the power cuts",
    "worker.base.take_aside": "a fetched base that was changed: bases_test",
    "registry.version.take_away": "gc: upkeep_test",
    **{f"scheduler.{step}": "backup and restore: backup_test, upkeep_test" for step in (
        "backup.complete", "backup.sync_names", "backup.write_manifest", "database_copy.sync",
        "database_copy.sync_name", "file_copy.complete", "file_copy.sync", "restore.begin", "restore.complete")},
    **{f"scheduler.{step}": "gc: retention_test" for step in (
        "old_events.remove", "old_jobs.remove", "old_log.take_away", "old_versions.remove")},
    **{f"scheduler.submission.{step}": "hundreds of domains at once: staged_submission_test" for step in (
        "accept", "add", "begin", "drop", "recover")},
    "scheduler.worker.forget": "a person forgets a worker: forget_worker_test",
    "scheduler.worker.quarantine": "one domain after another that fails on a worker: the simulation",
    "worker.checkpoint.complete": "a job that goes on on another worker: handover_test",
    "trainer.base_digest.keep": "a base that has lain there for a while: base_digest_test",
    "trainer.rung.keep": "memory that ran out: trainer_test",
    **{f"trainer.quantized_base.{verb}": "mozgach-trainer quantize: quantize_kill_test"
       for verb in ("complete", "copy_file", "sync_names", "write_config", "write_index", "write_shard")},
}


def failpoints(program):
    listed = subprocess.run([BIN / f"mozgach-{program}"], env={**os.environ, "MOZGACH_FAILPOINTS": "list"},
                            capture_output=True, text=True, check=True)
    return listed.stdout.split()


class SupervisedFleet(Fleet):
    """A fleet whose programs are started again when they end."""

    def __init__(self, **options):
        self.over = threading.Event()
        super().__init__(**options)
        self.supervisor = threading.Thread(target=self.supervise)
        self.supervisor.start()

    def start_scheduler(self):
        for _ in range(5):
            try:
                return super().start_scheduler()
            except FileNotFoundError:  # it died before it said where it listens
                time.sleep(0.1)
        raise AssertionError("the scheduler does not start")

    def supervise(self):
        while not self.over.wait(0.05):
            if not self.scheduler.alive():
                self.start_scheduler()
            for name in [name for name, worker in self.workers.items() if not worker.alive()]:
                self.start_worker(name)

    def __exit__(self, kind, *rest):
        self.over.set()
        self.supervisor.join()
        super().__exit__(kind, *rest)

    def insist(self, *words, done=lambda: False):
        """Until the command succeeds, or what it was for has happened."""
        end = time.monotonic() + PATIENCE
        while True:
            tried = subprocess.run([str(BIN / "mozgachctl"), "--scheduler", self.address, *map(str, words)],
                                   capture_output=True, text=True, timeout=PATIENCE)
            if tried.returncode == 0 or self.look(done):
                return
            assert time.monotonic() < end, f"mozgachctl {' '.join(map(str, words))}: {tried.stderr}"
            time.sleep(0.1)

    @staticmethod
    def look(condition):
        """The condition, or False while the scheduler cannot be asked."""
        try:
            return condition()
        except (AssertionError, ValueError):
            return False


class Day:
    """What is done to the fleet, and what it has come to."""

    def __init__(self, failpoint=None, action=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="mozgach-kill-"))
        self.failpoint, self.action = failpoint, action
        self.happened = self.folder / "happened"
        self.environment = {}
        if failpoint:
            self.environment = {"MOZGACH_FAILPOINTS": f"{failpoint}={action}",
                                "MOZGACH_FAILPOINTS_ONCE": str(self.happened)}
        self.domains = {}
        for index, name in enumerate(example_domains(2)):
            # A type that is measured is now this one and now that one, where others use the processor.
            changes = {"training": {"max_steps": 9, "save_steps": 3}, "evaluation": {"samples": 2},
                       "quantization": {"bnb_4bit_compute_dtype": "float32"}}
            domain = f"day-{index}"
            self.domains[domain] = small_domain(self.folder, domain, name, **changes)
        self.broken = small_domain(self.folder, "broken", example_domains(1)[0],
                                   data={"max_length": 8, "over_length": "error"})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def jobs_of(self, domain):
        return [job for job in self.fleet.ask("ps", "--all") if job["domain"] == domain]

    def run(self):
        """Leaves the digests of what was published, by domain."""
        empty = self.folder / "bases"
        empty.mkdir()
        with SupervisedFleet(bases=(empty,), environment=self.environment) as self.fleet:
            self.ask_for_everything()
            jobs = wait_until(lambda: self.fleet.look(self.everything_over), PATIENCE, "the queue to empty")
            self.fleet.insist("adapters", "alias", "day-0", "champion", "v0001",
                              done=lambda: jobs["day-0"]["state"] != "succeeded")
            wait_until(lambda: self.fleet.look(lambda: self.fleet.versions() is not None), PATIENCE, "an answer")
            self.fleet.insist("adapters", "verify")
            self.jobs, self.versions = jobs, self.fleet.versions()
            self.digests = {version["domain"]: self.digests_of(version) for version in self.versions}
            self.data = self.fleet.root / "scheduler"
            self.fleet.over.set()
            self.fleet.supervisor.join()
            self.fleet.scheduler.stop()
            self.problems = subprocess.run([BUILD / "tests/check_invariants", self.data, "--at-rest"],
                                           capture_output=True, text=True).stdout

    def ask_for_everything(self):
        ask = self.fleet.insist
        wait_until(lambda: self.fleet.look(lambda: self.fleet.ask("workers")), PATIENCE, "the worker")
        ask("drain", "worker1")
        ask("submit", *self.domains.values(), self.broken)
        ask("cancel", "day-1", done=lambda: self.jobs_of("day-1")[0]["state"] == "cancelled")
        ask("retry", "day-1", done=lambda: len(self.jobs_of("day-1")) == 2)
        ask("bases", "add", TINY)
        ask("fleet", "token", "--role", "viewer", "--name", "somebody",
            done=lambda: any(token["name"] == "somebody" for token in self.fleet.ask("fleet", "tokens")["tokens"]))
        ask("drain", "worker1", "--undo")

    def everything_over(self):
        jobs = self.fleet.jobs()
        over = all(job["state"] in ("succeeded", "failed", "cancelled") for job in jobs.values())
        return jobs if over and len(jobs) == 3 else None

    @staticmethod
    def digests_of(version):
        folder = pathlib.Path(version["path"])
        return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
                for name in ("adapter_model.safetensors", "adapter_config.json", "mlx/adapters.safetensors")}


def look_at(test, day, undisturbed):
    """What has to hold whatever went wrong."""
    what = f"{day.failpoint}={day.action}"
    test.assertTrue(day.happened.exists(), f"{what} did not happen")
    test.assertEqual(day.problems, "", what)
    # A crash costs nothing; an error may be the end of a job, which says so.
    crash = day.action.startswith("crash")
    for domain in day.domains:
        job = day.jobs[domain]
        if not crash and job["state"] == "failed":
            test.assertIn(day.failpoint, job["reason"], what)
            continue
        test.assertEqual(job["state"], "succeeded", f"{what}: {job['reason']}")
        test.assertEqual(day.digests[domain], undisturbed[domain], what)
    test.assertEqual(day.jobs["broken"]["state"], "failed", what)
    published = [version["domain"] for version in day.versions]
    test.assertEqual(len(published), len(set(published)), f"{what}: {published}")
