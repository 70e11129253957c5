#!/usr/bin/env python3
"""The scheduler under load: simulated workers over real gRPC, no trainer.

    tests/bench/scheduler_load_bench.py [--queue N…] [--seconds S] [--disk DIR] [--long-submit]

For each length of the queue (1,000 to 1,000,000 jobs that wait), on a file system in memory, where commits are
free, a new scheduler and then: submits of 10,000 domains in one request, whole cycles of jobs (claimed, a step
reported, ended), how long the core took for a claim, their calls' latency, its memory.  Once: the same cycles on --disk with the durable commits they took,
cycles that publish two files, calls beside a submit of 40,000 domains, and 10,000 workers that call every 10 s."""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("MOZGACH_BUILD_DIR", SOURCE / "build"))
BATCH = 10_000
WORKERS = 64


class Scheduler:
    def __init__(self, folder):
        self.data = pathlib.Path(folder) / "data"
        self.process = subprocess.Popen(
            [BUILD / "bin" / "mozgach-scheduler", "--data", self.data, "--listen", "127.0.0.1:0",
             "--http", "127.0.0.1:0"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        endpoints = self.data / "endpoints.json"
        while not endpoints.exists():
            if self.process.poll() is not None:
                sys.exit("the scheduler did not start")
            time.sleep(0.02)
        addresses = json.loads(endpoints.read_text())
        self.address, self.http = addresses["grpc"], addresses["http"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def start(self, *words):
        return subprocess.Popen([BUILD / "tests" / "fleet_load", self.address, *map(str, words)],
                                stdout=subprocess.PIPE, text=True)

    def load(self, *words):
        done = subprocess.run([BUILD / "tests" / "fleet_load", self.address, *map(str, words)],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"fleet_load {words}: {done.stderr}")
        return json.loads(done.stdout)

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024

    def metrics(self, name):
        """What stands after each line that begins with it."""
        text = urllib.request.urlopen(f"http://{self.http}/metrics", timeout=30).read().decode()
        return [line.removeprefix(name) for line in text.splitlines() if line.startswith(name)]

    def syncs(self):
        return sum(float(rest.split()[-1]) for rest in self.metrics("mozgach_db_syncs_total"))

    def claims(self):
        """Mean and 99th percentile in milliseconds, the latter by a straight line within its bucket."""
        total = float(self.metrics("mozgach_claim_seconds_sum")[0])
        count = float(self.metrics("mozgach_claim_seconds_count")[0])
        below, counted = 0.0, 0.0
        for rest in self.metrics("mozgach_claim_seconds_bucket"):
            bound, upto = float(rest.split('le="')[1].split('"')[0]), float(rest.split()[-1])
            if upto >= 0.99 * count:
                share = (0.99 * count - counted) / max(1.0, upto - counted)
                return 1e3 * total / max(1.0, count), 1e3 * (below + share * (bound - below))
            below, counted = bound, upto
        return 1e3 * total / max(1.0, count), float("inf")


def fill(scheduler, jobs):
    """Seconds of each submit."""
    seconds = []
    for first in range(0, jobs, BATCH):
        seconds.append(scheduler.load("submit", min(BATCH, jobs - first), f"d{first}")["seconds"])
    return seconds


def grow(options, length):
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder, Scheduler(folder) as scheduler:
        submits = fill(scheduler, length)
        before = scheduler.cpu_seconds()
        done = scheduler.load("cycles", min(options.seconds, length / 1000), WORKERS)
        cpu = scheduler.cpu_seconds() - before
        mean, p99 = scheduler.claims()
        print(f"{length:>9,} {max(submits):>10.2f} {done['cycles'] / done['seconds']:>10,.0f} {mean:>9.3f} {p99:>9.3f} "
              f"{done['p50_ms']:>8.2f} {done['p99_ms']:>8.2f} {1e6 * cpu / max(1, done['cycles']):>10.0f} {scheduler.resident_mb():>9.0f}",
              flush=True)


def on_disk(options):
    with tempfile.TemporaryDirectory(dir=options.disk) as folder, Scheduler(folder) as scheduler:
        fill(scheduler, 20_000)
        before = scheduler.syncs()
        done = scheduler.load("cycles", options.seconds, WORKERS)
        syncs = scheduler.syncs() - before
        print(f"on {options.disk}: {done['cycles'] / done['seconds']:,.0f} cycles/s, "
              f"{done['cycles'] / max(1, syncs):.2f} cycles per durable commit (goal ≥ 4), "
              f"calls p50 {done['p50_ms']:.2f} ms, p99 {done['p99_ms']:.2f} ms")
        done = scheduler.load("publish", options.seconds, WORKERS)
        print(f"on {options.disk}, each publishing two files: {done['cycles'] / done['seconds']:,.0f} cycles/s")


def beside_a_long_submit(options):
    """Calls of workers, 100 a second, and whole cycles of two, while one request brings 40,000 domains."""
    for mode, workers in (("calls", 1_000), ("cycles", 2)):
        with tempfile.TemporaryDirectory(dir=options.disk) as folder, Scheduler(folder) as scheduler:
            if mode == "cycles":
                fill(scheduler, 20_000)
            submit = scheduler.start("submit", 40_000, "long")
            time.sleep(0.5)
            done = scheduler.load(mode, 20, workers)  # longer than the submit takes
            took = json.loads(submit.communicate()[0])["seconds"]
            print(f"beside a submit of 40,000 domains ({took:.1f} s), {mode}: p50 {done['p50_ms']:.1f} ms, "
                  f"p99 {done['p99_ms']:.1f} ms, longest {done['max_ms']:.1f} ms (goal: p99 ≤ 500)", flush=True)


def many_workers(options):
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder, Scheduler(folder) as scheduler:
        scheduler.load("calls", 10, 10_000)  # they introduce themselves
        before = scheduler.cpu_seconds()
        done = scheduler.load("calls", 30, 10_000)
        share = (scheduler.cpu_seconds() - before) / done["seconds"]
        print(f"10,000 workers every 10 s: {done['calls'] / done['seconds']:,.0f} calls/s, "
              f"{100 * share:.0f} % of a core (goal < 50), p99 {done['p99_ms']:.2f} ms, "
              f"{scheduler.resident_mb():.0f} MB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queue", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--long-submit", action="store_true", help="only what calls take beside a long submit")
    parser.add_argument("--disk", default=str(BUILD))
    options = parser.parse_args()
    if options.long_submit:
        return beside_a_long_submit(options)
    print(f"{'':>31} {'a claim, ms':>19} {'a call, ms':>17}", flush=True)
    print(f"{'waiting':>9} {'submit, s':>10} {'cycles/s':>10} {'mean':>9} {'p99':>9} {'p50':>8} {'p99':>8} {'CPU µs':>10} {'MB':>9}",
          flush=True)
    for length in options.queue:
        grow(options, length)
    on_disk(options)
    beside_a_long_submit(options)
    many_workers(options)


if __name__ == "__main__":
    main()
