"""A scheduler that is stopped and started again under the commands that follow it.

watch, logs -f, events -f and submit --wait go on by themselves, show nothing twice, and lose nothing.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.request
from unittest import mock

from fleet import BIN, BUILD, Fleet, small_domain, wait_until

FAKE = BUILD / "tests" / "fake_trainer"


class Follower:
    """mozgachctl in the background; stdout and stderr go to files."""

    def __init__(self, fleet, name, *words):
        self.out_path, self.err_path = fleet.root / f"{name}.out", fleet.root / f"{name}.err"
        command = [str(BIN / "mozgachctl"), "--scheduler", fleet.address, *map(str, words)]
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.process = subprocess.Popen(command, stdout=out, stderr=err, stdin=subprocess.DEVNULL)

    def out(self):
        return self.out_path.read_bytes()

    def err(self):
        return self.err_path.read_text()

    def alive(self):
        return self.process.poll() is None

    def end(self, seconds=20):
        return self.process.wait(seconds)

    def stop(self, how=signal.SIGINT):
        self.process.send_signal(how)
        return self.process.wait(10)


def fake_fleet(**options):
    return Fleet(worker_words=("--trainer", FAKE), **options)


def domain(fleet, name="law", steps=60, step_ms=60, **changes):
    labels = {"fake_steps": str(steps), "fake_step_ms": str(step_ms), "fake_eval_ms": "100"}
    return small_domain(fleet.root, name, "house-dates", labels=labels, **changes)


class RestartTest(unittest.TestCase):
    def follow_through(self, end_scheduler, seconds_away):
        with fake_fleet() as fleet:
            events = Follower(fleet, "events", "events", "-f", "--json")
            submit = Follower(fleet, "submit", "submit", "--wait", domain(fleet))
            wait_until(lambda: fleet.jobs().get("law", {}).get("step", 0) > 5, 30, "some steps")
            logs = Follower(fleet, "logs", "logs", "-f", "law")
            watch = Follower(fleet, "watch", "watch", "--json")
            wait_until(lambda: logs.out() and watch.out(), 10, "the followers")
            end_scheduler(fleet.scheduler)
            time.sleep(seconds_away)
            followers = [events, submit, logs, watch]
            for each in followers:
                self.assertTrue(each.alive(), each.err())
                self.assertIn("does not answer", each.err())
                self.assertIn("trying again for", each.err())
            fleet.start_scheduler()
            self.assertEqual(submit.end(60), 0, submit.err())
            self.assertEqual(logs.end(), 0, logs.err())
            self.assertEqual(watch.end(), 0, watch.err())
            self.assertEqual(logs.out().decode(), fleet.ctl("logs", "law")[0])
            self.assert_watched(watch)
            wait_until(lambda: b'"published"' in events.out(), 10, "the event")
            self.assert_events(fleet, events)
            events.stop()
            for each in followers:
                self.assertEqual(each.err().count("does not answer"), 1, each.err())
                self.assertEqual(each.err().count("is back after"), 1, each.err())

    def assert_watched(self, watch):
        lines = watch.out().decode().splitlines()
        self.assertEqual(json.loads(lines[-1])["state"], "succeeded")
        self.assertEqual(len(lines), len(set(lines)), "a change is shown twice")

    def assert_events(self, fleet, events):
        seen = [json.loads(line) for line in events.out().decode().splitlines()]
        self.assertEqual(seen, fleet.ask("events"))

    def test_followers_go_on_after_a_clean_stop(self):
        self.follow_through(lambda scheduler: scheduler.stop(), 4)

    def test_followers_go_on_after_a_crash(self):
        self.follow_through(lambda scheduler: scheduler.kill(), 2)

    def test_hang_up_ends_the_scheduler_in_order(self):
        with fake_fleet(workers=0) as fleet:
            fleet.scheduler.process.send_signal(signal.SIGHUP)
            self.assertEqual(fleet.scheduler.process.wait(10), 0)
            self.assertIn("stopping", (fleet.root / "scheduler.log").read_text())
            fleet.start_scheduler()

    def test_a_scheduler_that_stays_away_is_given_up_on(self):
        with fake_fleet(workers=0) as fleet:
            events = Follower(fleet, "events", "events", "-f", "--reconnect-for", "1s")
            time.sleep(0.5)
            fleet.scheduler.stop()
            self.assertEqual(events.end(), 3)
            self.assertIn("did not answer within 1 s", events.err())
            fleet.start_scheduler()

    def test_interrupts_work_at_once_while_the_scheduler_is_away(self):
        with fake_fleet(workers=0) as fleet:
            submit = Follower(fleet, "submit", "submit", "--wait", domain(fleet))
            hung_up = Follower(fleet, "hung_up", "submit", "--wait", domain(fleet, "tax"))
            events = Follower(fleet, "events", "events", "-f")
            wait_until(lambda: len(fleet.jobs()) == 2, 20, "the jobs")
            fleet.scheduler.stop()
            wait_until(lambda: all("does not answer" in each.err() for each in (submit, hung_up, events)),
                       10, "the outage")
            for each, how, code in ((submit, signal.SIGINT, 130), (hung_up, signal.SIGHUP, 129),
                                    (events, signal.SIGINT, -signal.SIGINT)):
                begin = time.monotonic()
                self.assertEqual(each.stop(how), code)
                self.assertLess(time.monotonic() - begin, 2)
            self.assertIn("the jobs go on", submit.err())
            fleet.start_scheduler()

    def test_a_submit_that_the_scheduler_has_forgotten_is_not_waited_for(self):
        with fake_fleet(workers=0) as fleet:
            submit = Follower(fleet, "submit", "submit", "--wait", domain(fleet))
            wait_until(lambda: len(fleet.jobs()) == 1, 20, "the job")
            time.sleep(1)
            fleet.scheduler.stop()
            shutil.move(fleet.root / "scheduler", fleet.root / "earlier")
            (fleet.root / "scheduler").mkdir()
            fleet.start_scheduler()
            self.assertEqual(submit.end(), 2, submit.err())
            self.assertIn("restored from a backup", submit.err())
            self.assertIn("submit them again", submit.err())

    def test_the_next_attempt_begins_its_own_log(self):
        with fake_fleet() as fleet:
            logs_domain = domain(fleet, steps=20, step_ms=50)
            text = logs_domain.read_text().replace("labels:", "labels:\n  fake_fail: exit\n  fake_fail_at: '10'\n"
                                                   "  fake_fail_once: 'yes'")
            logs_domain.write_text(text)
            fleet.ctl("submit", logs_domain)
            logs = Follower(fleet, "logs", "logs", "-f", "law")
            wait_until(lambda: fleet.jobs()["law"]["state"] == "succeeded", 60, "the job")
            self.assertEqual(logs.end(), 0, logs.err())
            attempts = range(1, fleet.jobs()["law"]["attempt"] + 1)
            self.assertGreater(len(attempts), 1)
            whole = "".join(fleet.ctl("logs", "law", "--attempt", each)[0] for each in attempts)
            self.assertEqual(logs.out().decode(), whole)


class TlsRestartTest(unittest.TestCase):
    """Over TLS followers come back too, and what one side refuses ends them."""

    def setUp(self):
        self.keys = pathlib.Path(tempfile.mkdtemp(prefix="mozgach-keys-"))
        self.addCleanup(shutil.rmtree, self.keys, ignore_errors=True)
        for name in ("ours", "other"):
            subprocess.run([BIN / "mozgachctl", "fleet", "init", "--dir", self.keys / name, "--host", "127.0.0.1",
                            "--operator", "boss"], check=True, capture_output=True)
        self.enterContext(mock.patch.dict(os.environ, {"MOZGACH_TLS": str(self.keys / "ours/boss")}))
        self.fleet = self.enterContext(
            fake_fleet(workers=0, scheduler_words=["--tls", self.keys / "ours/scheduler"]))

    def start(self, name, *words):
        follower = Follower(self.fleet, name, *words)
        self.addCleanup(follower.process.wait)
        self.addCleanup(follower.process.kill)
        return follower

    def follow(self):
        """Each follower of a job that nobody trains."""
        submit = self.start("submit", "submit", "--wait", domain(self.fleet))
        wait_until(lambda: self.fleet.jobs(), 20, "the job")
        followers = [submit, self.start("events", "events", "-f"), self.start("watch", "watch", "--json"),
                     self.start("logs", "logs", "-f", "law")]
        wait_until(lambda: followers[1].out() and followers[2].out(), 20, "the first lines")
        time.sleep(0.5)  # `submit --wait` and `logs -f` have nothing to show yet
        return followers

    def stop_scheduler(self, followers):
        self.fleet.scheduler.stop()
        wait_until(lambda: all("does not answer" in each.err() for each in followers), 10, "the outage")

    def token_folder(self, name):
        made = self.fleet.ask("fleet", "token", "--role", "viewer", "--name", name)
        folder = self.keys / name
        folder.mkdir()
        shutil.copy(self.keys / "ours/ca.pem", folder)
        (folder / "token").write_text(made["token"])
        (folder / "token").chmod(0o600)
        return folder

    def certificate_folder(self, name):
        self.fleet.ctl("fleet", "user", "--dir", self.keys / "ours", "--role", "viewer", name)
        return self.keys / "ours" / name

    def test_followers_go_on_after_a_clean_stop(self):
        followers = self.follow()
        self.stop_scheduler(followers)
        time.sleep(3)
        self.fleet.start_scheduler()
        wait_until(lambda: all("is back after" in each.err() for each in followers), 8, "the followers")
        self.fleet.ctl("cancel", "law")
        for each in followers[0], followers[2], followers[3]:
            each.end()
        wait_until(lambda: b"cancelled" in followers[1].out(), 10, "the event")
        followers[1].stop()
        for each in followers:
            self.assertEqual(each.err().count("does not answer"), 1, each.err())

    def test_the_certificate_of_another_fleet_is_final(self):
        followers = self.follow()
        self.stop_scheduler(followers)
        self.fleet.scheduler_words = ["--tls", self.keys / "other/scheduler"]
        self.fleet.start_scheduler()
        for each in followers:
            self.assertEqual(each.end(), 3, each.err())
            self.assertIn("with a certificate of the same fleet for this very name?", each.err())

    def test_what_was_revoked_while_the_follower_was_away_is_final(self):
        self.fleet.ctl("submit", domain(self.fleet))
        alice, bob = self.token_folder("alice"), self.certificate_folder("bob")
        followers = [self.start("alice", "--tls", alice, "events", "-f"),
                     self.start("bob", "--tls", bob, "watch", "--json")]
        wait_until(lambda: all(each.out() for each in followers), 20, "the first lines")
        self.stop_scheduler(followers)
        for each in followers:
            each.process.send_signal(signal.SIGSTOP)
        self.fleet.start_scheduler()
        self.fleet.ctl("fleet", "revoke", "alice")
        self.fleet.ctl("fleet", "revoke", "bob", "--certificate")
        for each, folder in zip(followers, (alice, bob)):
            fresh = self.fleet.ctl("--tls", folder, "ps", expect=1)[1]
            self.assertIn("revoked", fresh)
            each.process.send_signal(signal.SIGCONT)
            self.assertEqual(each.end(), 1, each.err())
            self.assertIn(fresh.strip(), each.err())


class LossTest(unittest.TestCase):
    def test_ps_shows_the_running_mean_and_the_validation_loss(self):
        with fake_fleet() as fleet:
            path = domain(fleet, steps=40, step_ms=150)
            path.write_text(path.read_text().replace("labels:", "labels:\n  fake_eval_at: '10'"))
            fleet.ctl("submit", path)
            seen = wait_until(lambda: fleet.jobs()["law"] if fleet.jobs()["law"]["eval_loss"] else None, 30,
                              "the evaluation in mid-training")
            self.assertEqual(seen["eval_loss"], 0.75)
            self.assertEqual(seen["state"], "running")
            self.assertGreater(seen["loss"], 1.0, "the mean that the trainer tells, not the step's loss")
            with urllib.request.urlopen(f"http://{fleet.http}/metrics") as page:
                metrics = page.read().decode()
            self.assertIn('mozgach_job_eval_loss{domain="law"} 0.75', metrics)
            self.assertIn('mozgach_job_step_loss{domain="law"}', metrics)
            wait_until(lambda: fleet.jobs()["law"]["state"] == "succeeded", 30, "the job")
            job = fleet.jobs()["law"]
            self.assertEqual((job["loss"], job["eval_loss"]), (1.025, 0.5))
            self.assertIn("EVAL", fleet.ctl("ps")[0])
            wait_until(lambda: fleet.ctl("logs", "law")[0].count("Z step ") == 40, 10, "every step in the log")


class SilenceTest(unittest.TestCase):
    def test_a_silent_trainer_is_killed_and_the_job_goes_on(self):
        with Fleet(worker_words=("--trainer", FAKE, "--trainer-silence", "2s")) as fleet:
            path = domain(fleet, steps=12, step_ms=10)
            path.write_text(path.read_text().replace("labels:", "labels:\n  fake_fail: hang\n  fake_fail_at: '6'\n"
                                                     "  fake_fail_once: 'yes'"))
            fleet.ctl("submit", path)
            wait_until(lambda: fleet.jobs()["law"]["state"] == "succeeded", 60, "the job")
            log = fleet.ctl("logs", "law", "--attempt", "1")[0]
            self.assertIn("the trainer said nothing for 2 s and was killed", log)
            events = [event for event in fleet.ask("events", "--job", "1") if event["kind"] == "requeued"]
            self.assertEqual(len(events), 1)
            scheduler = (fleet.root / "scheduler.log").read_text()
            self.assertIn("requeued job=1 domain=law attempt=1 worker=worker1 class=infrastructure", scheduler)


class LogTest(unittest.TestCase):
    def test_the_schedulers_log_says_what_it_did(self):
        with fake_fleet() as fleet:
            bad = domain(fleet, "tax", steps=3, step_ms=1)
            bad.write_text(bad.read_text().replace("labels:", "labels:\n  fake_fail: data"))
            fleet.ctl("submit", "--wait", domain(fleet, steps=3, step_ms=1), bad, expect=1)
            lines = (fleet.root / "scheduler.log").read_text().splitlines()
            kinds = [line.split(": ", 1)[1] for line in lines if " info mozgach-scheduler: " in line]
            self.assertEqual(len([line for line in kinds if line.startswith("submitted by=")]), 1)
            for wanted in ("claimed job=1 domain=law attempt=1 worker=worker1",
                           "claimed job=2 domain=tax attempt=1 worker=worker1",
                           "published job=1 domain=law attempt=1 version=v0001",
                           'failed job=2 domain=tax attempt=1 worker=worker1 class=data reason="told to fail'):
                self.assertEqual(len([line for line in kinds if line.startswith(wanted)]), 1, (wanted, kinds))
            worker = fleet.workers["worker1"]
            worker.process.send_signal(signal.SIGHUP)
            self.assertEqual(worker.process.wait(20), 0)

    def test_an_unknown_level_is_an_error_that_lists_the_levels(self):
        for program in ("mozgach-scheduler", "mozgach-worker", "mozgach-trainer", "mozgachctl"):
            words = {"mozgach-scheduler": ["--data", "/nonexistent/x"], "mozgach-trainer": ["devices"],
                     "mozgachctl": ["ps"]}.get(program, [])
            done = subprocess.run([BIN / program, *words], capture_output=True, text=True, timeout=60,
                                  env={"MOZGACH_LOG": "verbose", "PATH": "/usr/bin:/bin"})
            self.assertEqual(done.returncode, 2, program)
            self.assertIn("MOZGACH_LOG is 'verbose'", done.stderr, program)
            self.assertIn("trace, debug, info, warn, error", done.stderr, program)
        done = subprocess.run([BIN / "mozgach-trainer", "devices"], capture_output=True, text=True, timeout=60,
                              env={"MOZGACH_LOG": "DEBUG", "PATH": "/usr/bin:/bin"})
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_lost_leases_are_in_the_log(self):
        with fake_fleet(scheduler_words=()) as fleet:
            fleet.ctl("submit", domain(fleet, steps=200, step_ms=50))
            wait_until(lambda: fleet.jobs()["law"]["step"] > 2, 20, "some steps")
            fleet.workers["worker1"].kill()
            fleet.start_worker("worker1")  # the same name: the old lease is lost at once
            log = fleet.root / "scheduler.log"
            wait_until(lambda: "lease_lost job=1 domain=law attempt=1 worker=worker1 then=requeued" in log.read_text(),
                       60, "the line")


if __name__ == "__main__":
    unittest.main(verbosity=2)
