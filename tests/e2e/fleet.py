"""A fleet of real programs on this machine, for tests: one scheduler, workers, mozgachctl.

Everything listens on loopback, on ports the system chose, and is ended by process id.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

SOURCE = pathlib.Path(os.environ.get("MOZGACH_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
BUILD = pathlib.Path(os.environ.get("MOZGACH_BUILD_DIR", SOURCE / "build"))
BIN = BUILD / "bin"
DOMAINS = SOURCE / "domains"
SHARED = SOURCE.parent / "shared"
RUNNING = []  # the fleets of this test, whose logs explain a failure


def wait_until(condition, seconds, what):
    """Returns the first true value of condition(); fails the test after `seconds`, with the logs of its fleets."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    for fleet in RUNNING:
        fleet.show_logs()
    raise AssertionError(f"waited {seconds} s for {what}")


class Process:
    """One program; its output goes to a file.  `environment` is added to ours."""

    def __init__(self, command, log, environment=None):
        self.command, self.log = [str(word) for word in command], pathlib.Path(log)
        self.environment = {**os.environ, **(environment or {})}
        self.start()

    def start(self):
        with open(self.log, "ab") as output:
            self.process = subprocess.Popen(self.command, stdout=output, stderr=output,
                                            stdin=subprocess.DEVNULL, env=self.environment)

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process.poll() is None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, seconds=20):
        """SIGTERM, and the exit code."""
        if self.alive():
            self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.command[0]} did not stop within {seconds} s")


class Fleet:
    """Use as a context manager.  `root` holds everything; it is removed at the end."""

    def __init__(self, workers=1, bases=(DOMAINS / "bases",), scheduler_words=(), worker_words=(),
                 environment=None):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="mozgach-e2e-"))
        self.bases, self.worker_words = bases, worker_words
        self.scheduler_words, self.environment = scheduler_words, environment
        self.workers = {}
        RUNNING.append(self)
        self.address = "127.0.0.1:0"
        self.http = "127.0.0.1:0"
        self.start_scheduler()
        for index in range(workers):
            self.start_worker(f"worker{index + 1}")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            for process in [*self.workers.values(), self.scheduler]:
                if process.alive():
                    process.stop()
        finally:
            if kind is not None:
                self.show_logs()
            RUNNING.remove(self)
            shutil.rmtree(self.root, ignore_errors=True)

    def show_logs(self):
        for log in sorted(self.root.glob("*.log")):
            print(f"--- {log.name}", log.read_text(errors="replace")[-4000:], sep="\n")
        print("--- jobs", subprocess.run([BIN / "mozgachctl", "--scheduler", self.address, "ps", "--all"],
                                         capture_output=True, text=True, timeout=30).stdout, sep="\n")

    def start_scheduler(self):
        """Starts it, or starts it again on the same ports and the same data."""
        endpoints = self.root / "scheduler" / "endpoints.json"
        endpoints.unlink(missing_ok=True)
        self.scheduler = Process(
            [BIN / "mozgach-scheduler", "--data", self.root / "scheduler", "--listen", self.address,
             "--http", self.http, *self.scheduler_words], self.root / "scheduler.log", self.environment)
        wait_until(lambda: endpoints.exists() or not self.scheduler.alive(), 20, "the scheduler")
        addresses = json.loads(endpoints.read_text())
        self.address, self.http = addresses["grpc"], addresses["http"]

    def start_worker(self, name):
        words = [BIN / "mozgach-worker", "--scheduler", self.address, "--data", self.root / name,
                 "--name", name, *self.worker_words]
        for base in self.bases:
            words += ["--bases", base]
        self.workers[name] = Process(words, self.root / f"{name}.log", self.environment)

    def trainer_pids(self, name):
        """The worker's direct children."""
        try:
            children = pathlib.Path(f"/proc/{self.workers[name].pid}/task/{self.workers[name].pid}/children")
            return [int(pid) for pid in children.read_text().split()]
        except OSError:
            return []

    def kill_trainer(self, name):
        for pid in self.trainer_pids(name):
            os.kill(pid, signal.SIGKILL)

    def ctl(self, *words, expect=0, timeout=120):
        """Runs mozgachctl; returns (stdout, stderr)."""
        done = subprocess.run([str(BIN / "mozgachctl"), "--scheduler", self.address, *map(str, words)],
                              capture_output=True, text=True, timeout=timeout)
        assert done.returncode == expect, (
            f"mozgachctl {' '.join(map(str, words))} left with {done.returncode}, not {expect}:\n"
            f"{done.stdout}{done.stderr}")
        return done.stdout, done.stderr

    def ask(self, *words, **options):
        return json.loads(self.ctl(*words, "--json", **options)[0])

    def jobs(self):
        return {job["domain"]: job for job in self.ask("ps")}

    def versions(self):
        return self.ask("adapters", "ls")


def small_domain(folder, name, source, **changes):
    """Writes a copy of example domain `source` as `name`, trained briefly; returns its file."""
    import yaml  # PyYAML comes with transformers

    spec = yaml.safe_load((DOMAINS / f"{source}.yaml").read_text())
    spec["domain"] = name
    for key in ("train", "validation", "test"):
        if isinstance(spec["data"].get(key), str):
            spec["data"][key] = str(DOMAINS / spec["data"][key])
    spec["training"]["max_steps"] = 20
    spec.setdefault("evaluation", {})["samples"] = 8
    for section, values in changes.items():
        if isinstance(values, dict):
            spec.setdefault(section, {}).update(values)
        else:
            spec[section] = values
    path = pathlib.Path(folder) / f"{name}.yaml"
    path.write_text(yaml.safe_dump(spec))
    return path


def example_domains(count):
    """Names of the first example domains."""
    return [path.stem for path in sorted(DOMAINS.glob("*.yaml"))[:count]]
