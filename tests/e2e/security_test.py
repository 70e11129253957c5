"""Security: a fleet set up by `mozgachctl fleet` runs a job, and lets nobody else in."""

import json
import os
import pathlib
import shutil
import stat
import subprocess
import tempfile
import unittest
from unittest import mock

from fleet import BIN, Fleet, Process, example_domains, small_domain, wait_until


def ctl(*words, expect=0, **environment):
    done = subprocess.run([str(BIN / "mozgachctl"), *map(str, words)], capture_output=True, text=True,
                          timeout=60, env={**os.environ, **environment})
    assert done.returncode == expect, f"{words} left with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout, done.stderr


class LockedFleetTest(unittest.TestCase):
    def setUp(self):
        self.keys = pathlib.Path(tempfile.mkdtemp(prefix="mozgach-keys-"))
        self.addCleanup(shutil.rmtree, self.keys, ignore_errors=True)
        self.dir = self.keys / "fleet"
        ctl("fleet", "init", "--dir", self.dir, "--host", "gpu1.example.org", "--operator", "boss")
        ctl("fleet", "worker", "worker1", "--dir", self.dir)
        # All that mozgachctl needs to know, as a person's shell would have it.
        self.enterContext(mock.patch.dict(os.environ, {"MOZGACH_TLS": str(self.dir / "boss")}))
        self.fleet = self.enterContext(Fleet(
            scheduler_words=["--tls", self.dir / "scheduler"],
            worker_words=["--tls", self.dir / "worker1"]))

    def test_a_job_runs_and_everybody_is_known_by_name(self):
        self.assertEqual(self.fleet.ask("fleet", "whoami"),
                         {"name": "boss", "role": "operator", "local": False})
        self.fleet.ctl("submit", "--wait", small_domain(self.fleet.root, "law", example_domains(1)[0]))
        self.assertEqual(self.fleet.jobs()["law"]["state"], "succeeded")
        self.assertEqual(self.fleet.versions()[0]["version"], "v0001")
        self.assertIn("step", self.fleet.ctl("logs", "law")[0])
        self.fleet.ctl("adapters", "pull", "law", "--output", self.fleet.root / "pulled")
        self.assertTrue((self.fleet.root / "pulled/adapter_model.safetensors").exists())
        actors = {event["kind"]: event["actor"] for event in self.fleet.ask("events")}
        self.assertEqual((actors["submitted"], actors["claimed"]), ("boss", "worker1"))

    def test_keys_are_their_owners_only(self):
        for path in self.dir.rglob("*"):
            self.assertEqual(stat.S_IMODE(path.stat().st_mode) & 0o077, 0, path)

    def test_strangers_and_other_names_stay_outside(self):
        out, err = ctl("--scheduler", self.fleet.address, "ps", expect=3, MOZGACH_TLS="")
        self.assertIn("did not answer", err)
        other = self.keys / "other"
        ctl("fleet", "init", "--dir", other, "--host", "gpu1.example.org", "--operator", "eve")
        ctl("--scheduler", self.fleet.address, "--tls", other / "eve", "ps", expect=3)
        # Another worker's certificate, under a name that is not its.
        ctl("fleet", "worker", "worker2", "--dir", self.dir)
        refused = subprocess.run(
            [BIN / "mozgach-worker", "--scheduler", self.fleet.address, "--tls", self.dir / "worker2",
             "--name", "worker1", "--data", self.keys / "data", "--bases", self.keys],
            capture_output=True, text=True, timeout=30)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("was issued to worker2", refused.stderr)

    def test_a_token_is_shown_once_and_does_what_its_role_may(self):
        made = self.fleet.ask("fleet", "token", "--role", "submitter", "--name", "alice")
        folder = self.keys / "alice"
        folder.mkdir()
        shutil.copy(self.dir / "ca.pem", folder)
        (folder / "token").write_text(made["token"] + "\n")
        (folder / "token").chmod(0o644)
        words = ("--scheduler", self.fleet.address, "--tls", folder)
        self.assertIn("chmod 600", ctl(*words, "ps", expect=2)[1])
        (folder / "token").chmod(0o600)
        domain = small_domain(self.fleet.root, "tax", example_domains(1)[0])
        ctl(*words, "submit", domain)
        self.assertIn("a submitter may not call DrainWorker", ctl(*words, "drain", "worker1", expect=1)[1])
        self.assertEqual([(token["name"], token["role"]) for token in self.fleet.ask("fleet", "tokens")["tokens"]],
                         [("alice", "submitter")])
        self.assertNotIn(made["token"], json.dumps(self.fleet.ask("fleet", "tokens")))
        self.fleet.ctl("fleet", "revoke", "alice")
        ctl(*words, "ps", expect=1)
        submitted = [event for event in self.fleet.ask("events") if event["kind"] == "submitted"]
        self.assertEqual(submitted[0]["actor"], "alice")

    def test_a_revoked_worker_is_out_and_comes_back_with_a_new_certificate(self):
        wait_until(lambda: self.fleet.ask("workers"), 20, "the worker")
        self.fleet.ctl("fleet", "revoke", "worker1")
        log = self.fleet.root / "worker1.log"
        wait_until(lambda: "was revoked" in log.read_text(), 30, "the worker to be refused")
        ctl("fleet", "worker", "worker1", "--dir", self.dir, "--replace")
        last = self.fleet.ask("workers")[0]["last_call_at"]
        wait_until(lambda: self.fleet.ask("workers")[0]["last_call_at"] > last, 60,
                   "the worker to call with its new certificate")


class SocketTest(unittest.TestCase):
    def test_a_fleet_on_one_machine_talks_over_a_socket_of_its_owner(self):
        root = pathlib.Path(tempfile.mkdtemp(prefix="mozgach-e2e-"))
        self.addCleanup(shutil.rmtree, root, ignore_errors=True)
        address = f"unix:{root / 's.sock'}"
        scheduler = Process([BIN / "mozgach-scheduler", "--data", root / "data", "--listen", address,
                             "--http", "127.0.0.1:0"], root / "scheduler.log")
        self.addCleanup(scheduler.stop)
        wait_until(lambda: (root / "s.sock").exists(), 20, "the socket")
        self.assertEqual(stat.S_IMODE((root / "s.sock").stat().st_mode), 0o600)
        worker = Process([BIN / "mozgach-worker", "--scheduler", address, "--data", root / "worker",
                          "--bases", root, "--name", "here"], root / "worker.log")
        self.addCleanup(worker.stop)
        wait_until(lambda: "here" in ctl("--scheduler", address, "workers")[0], 20, "the worker")


if __name__ == "__main__":
    unittest.main(verbosity=2)
