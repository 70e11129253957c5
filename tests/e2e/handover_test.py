"""A job goes on elsewhere from the checkpoint that came to the scheduler, and its adapter is byte for byte the
one that an undisturbed training gives: when its worker dies for good, and when it is handed back."""

import hashlib
import pathlib
import tempfile
import unittest

from fleet import Fleet, example_domains, small_domain, wait_until

STEPS = 160


class HandoverTest(unittest.TestCase):
    def setUp(self):
        config = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / "scheduler.yaml"
        config.write_text("lease_seconds: 3\n")
        self.fleet = self.enterContext(Fleet(workers=0, scheduler_words=("--config", config)))

    def domain(self, name):
        return small_domain(self.fleet.root, name, example_domains(1)[0],
                            training={"max_steps": STEPS, "save_steps": 10}, lora={"lora_dropout": 0.1})

    def adapter(self, domain):
        version = next(v for v in self.fleet.versions() if v["domain"] == domain)
        weights = pathlib.Path(version["path"]) / "adapter_model.safetensors"
        return hashlib.sha256(weights.read_bytes()).hexdigest()

    def log(self, domain):
        return self.fleet.ctl("logs", domain)[0]

    def until_a_checkpoint_is_there(self, domain):
        wait_until(lambda: "is with the scheduler" in self.log(domain), 60, "a checkpoint at the scheduler")

    def until_done(self, domain):
        return wait_until(lambda: (job := self.fleet.jobs()[domain])["state"] == "succeeded" and job, 120, domain)

    def test_the_adapter_is_that_of_an_undisturbed_training(self):
        self.fleet.start_worker("alpha")
        self.fleet.ctl("submit", "--wait", self.domain("calm"))
        calm = self.adapter("calm")

        self.fleet.ctl("submit", self.domain("orphaned"))
        self.until_a_checkpoint_is_there("orphaned")
        self.fleet.workers["alpha"].kill()
        self.fleet.start_worker("beta")
        job = self.until_done("orphaned")
        self.assertEqual((job["worker"], job["attempt"]), ("beta", 2))
        self.assertIn("goes on from a checkpoint at step", self.log("orphaned"))
        self.assertEqual(self.adapter("orphaned"), calm)

        self.fleet.ctl("submit", self.domain("drained"))
        self.until_a_checkpoint_is_there("drained")
        self.fleet.start_worker("gamma")
        self.fleet.ctl("drain", "beta", "--within", "0")
        job = self.until_done("drained")
        self.assertEqual((job["worker"], job["attempt"]), ("gamma", 2))
        self.assertEqual(job.get("failures", 0), 0)
        self.assertEqual(self.adapter("drained"), calm)

        self.fleet.ctl("submit", self.domain("stopped"))
        self.until_a_checkpoint_is_there("stopped")
        self.fleet.start_worker("delta")
        self.fleet.workers["gamma"].stop()
        job = self.until_done("stopped")
        self.assertEqual((job["worker"], job["attempt"]), ("delta", 2))
        self.assertEqual(self.adapter("stopped"), calm)


if __name__ == "__main__":
    unittest.main()
