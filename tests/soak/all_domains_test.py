"""deploy/quickstart --all: 108 adapters on a base that was loaded once."""

import json
import pathlib
import re
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from fleet import DOMAINS, Fleet  # noqa: E402


class AllDomainsTest(unittest.TestCase):
    def memory_after_jobs(self, fleet):
        """Resident bytes of the trainer after each job, as the worker's log tells them."""
        lines = (fleet.root / "worker1.log").read_text().splitlines()
        return [int(match.group(1)) for line in lines
                if (match := re.search(r"the trainer holds (\d+) bytes", line))]

    def test_108_domains(self):
        files = sorted(DOMAINS.glob("*.yaml"))
        self.assertEqual(len(files), 108)
        with Fleet() as fleet:
            started = time.monotonic()
            fleet.ctl("submit", "--wait", *files, timeout=7000)
            seconds = time.monotonic() - started
            versions = fleet.versions()
            base = [v["metrics"]["base"]["exact_match"] for v in versions]
            adapter = {v["domain"]: v["metrics"]["adapter"]["exact_match"] for v in versions}
            worst = min(adapter, key=adapter.get)
            memory = self.memory_after_jobs(fleet)
            print(json.dumps({"seconds": round(seconds), "versions": len(versions),
                              "base_max": max(base), "adapter_min": adapter[worst], "worst": worst,
                              "adapter_mean": sum(adapter.values()) / len(adapter),
                              "memory_first": memory[:1], "memory_last": memory[-1:]}))
            self.assertEqual(sorted(v["version"] for v in versions), ["v0001"] * 108)
            self.assertEqual([w["base_loads"] for w in fleet.ask("workers")], [1])
            self.assertLessEqual(max(base), 0.15)
            self.assertGreaterEqual(adapter[worst], 0.70, worst)
            self.assertGreaterEqual(sum(adapter.values()) / len(adapter), 0.90)
            self.assertEqual(len(memory), 108)
            self.assertLessEqual(abs(memory[-1] / memory[0] - 1), 0.02)
            self.assertTrue(all(job["train_seconds"] <= 30 for job in fleet.ask("ps")))


if __name__ == "__main__":
    unittest.main(verbosity=2)
