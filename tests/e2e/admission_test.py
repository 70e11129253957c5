"""A job goes only where its plan fits: one that is too large for every worker waits with its numbers
while a small one runs, and starts when a worker with more memory comes."""

import time
import unittest

from fleet import Fleet, example_domains, small_domain, wait_until


def jobs_now_and_then(fleet):
    time.sleep(0.5)  # asking is work too
    return fleet.jobs()


class AdmissionTest(unittest.TestCase):
    def test_a_job_waits_for_a_worker_with_enough_memory_while_a_small_one_runs(self):
        fleet = self.enterContext(Fleet(workers=0, worker_words=("--memory", "288MiB")))
        fleet.start_worker("narrow")
        source = example_domains(1)[0]
        # 9 million adapter parameters, each with its gradient and two moments.
        large = small_domain(fleet.root, "large", source, priority=90, lora={"r": 1024},
                             training={"max_steps": 2})
        small = small_domain(fleet.root, "small", source, priority=10, training={"max_steps": 2})
        fleet.ctl("submit", large, small)
        done = wait_until(lambda: (jobs := jobs_now_and_then(fleet))["small"]["state"] == "succeeded" and jobs,
                          120, "the small job")
        self.assertEqual(done["large"]["state"], "queued")
        self.assertRegex(done["large"]["reason"],
                         r"needs \d+\.\d MiB.*; cpu has \d+\.\d MiB free of 288\.0 MiB")
        explained = fleet.ask("explain", "large")
        self.assertTrue(any("a device with" in line for line in explained["lines"]), explained)
        self.assertEqual(done["large"]["attempt"], 0)

        plan = fleet.ask("plan", large, "--bases", fleet.bases[0], "--worker", "narrow")
        self.assertFalse(plan[0]["fits"])

        fleet.worker_words = ("--memory", "2GiB")
        fleet.start_worker("wide")
        job = wait_until(lambda: (job := jobs_now_and_then(fleet)["large"])["state"] == "succeeded" and job, 120,
                         "the large job")
        self.assertEqual((job["worker"], job["attempt"]), ("wide", 1))
        self.assertGreater(job["memory_peak_bytes"], 288 << 20)


if __name__ == "__main__":
    unittest.main()
