"""Programs end with the exit codes of docs/exit_codes.md."""

import os
import pathlib
import re
import socket
import subprocess
import tempfile
import time
import unittest

BIN = pathlib.Path(os.environ["MOZGACH_BUILD_DIR"]) / "bin"
SOURCE = pathlib.Path(os.environ.get("MOZGACH_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
PROGRAMS = ["mozgach-scheduler", "mozgach-worker", "mozgach-trainer", "mozgachctl"]


def run(program, *words):
    return subprocess.run([BIN / program, *map(str, words)], capture_output=True, text=True, timeout=60, check=False,
                          stdin=subprocess.DEVNULL)


class ExitCodesTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.data = self.folder / "data"

    def expect(self, code, text, program, *words):
        documented = re.findall(r"^\| (.+) \| (\d+) \|", (SOURCE / "docs/exit_codes.md").read_text(), re.M)
        names = {"every program", f"`{program}`", *(f"`{program} {word}`" for word in words)}
        self.assertIn(str(code), {number for name, number in documented if name in names})
        done = run(program, *words)
        with self.subTest(program=program, words=words):
            self.assertEqual(done.returncode, code, done.stdout + done.stderr)
            self.assertIn(text, done.stdout + done.stderr)
        return done

    def start_scheduler(self):
        process = subprocess.Popen([BIN / "mozgach-scheduler", "--data", self.data, "--listen", "127.0.0.1:0", "--http",
                                    "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)

        def stop():
            process.kill()
            process.communicate()

        self.addCleanup(stop)
        return process, re.search(r"listens on ([^,]+),", process.stderr.readline())[1]

    def stop(self, process):
        process.terminate()
        process.wait(30)

    def test_done_and_misused(self):
        for program in PROGRAMS:
            self.expect(0, "Usage", program, "--help")
            self.expect(2, "--help` ", program, "--no-such-option")

    def test_every_command_of_ctl_says_that_the_scheduler_is_not_reached(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            nowhere = f"127.0.0.1:{free.getsockname()[1]}"
            start = time.monotonic()
            commands = (["ps"], ["doctor"], ["gc", "--dry-run"], ["workers"], ["workers", "forget", "a"], ["drain", "a"],
                        ["events"], ["cancel", "1"], ["retry", "1"], ["explain", "1"], ["logs", "1"],
                        ["adapters", "ls"], ["bases", "ls"], ["fleet", "whoami"],
                        ["watch", "--reconnect-for", "0"], ["submit", SOURCE / "domains/house-dates.yaml"])
            for words in commands:
                self.expect(3, "connection refused", "mozgachctl", "--scheduler", nowhere, *words)
            self.assertLess(time.monotonic() - start, 2 * len(commands), "at once, not after a timeout")

    def test_doctor_tells_problems_from_a_scheduler_that_is_away(self):
        process, address = self.start_scheduler()
        self.expect(0, "0 problems", "mozgachctl", "--scheduler", address, "doctor")
        (self.data / "registry/adapters/x").symlink_to("nowhere")
        (self.data / "registry/adapters/law").mkdir()
        (self.data / "registry/adapters/law/v0001").mkdir()
        self.expect(1, "problem: ", "mozgachctl", "--scheduler", address, "doctor")
        self.stop(process)
        self.expect(3, "cannot be reached", "mozgachctl", "--scheduler", address, "doctor")
        self.expect(1, "problem: ", "mozgach-scheduler", "doctor", "--data", self.data)
        self.expect(2, "does not exist", "mozgach-scheduler", "doctor", "--data", self.folder / "none")

    def test_a_damaged_database_is_no_usage_error(self):
        self.stop(self.start_scheduler()[0])
        (self.data / "mozgach.db").write_bytes(b"no database" * 1000)
        for path in self.data.glob("mozgach.db-*"):
            path.unlink()
        self.expect(1, "mozgach.db", "mozgach-scheduler", "--data", self.data, "--listen", "127.0.0.1:0", "--http",
                    "127.0.0.1:0")
        self.expect(1, "mozgach.db", "mozgach-scheduler", "doctor", "--data", self.data)
        self.expect(1, "mozgach.db", "mozgach-scheduler", "backup", "--data", self.data, "--output", self.folder / "b")
        self.expect(1, "mozgach.db", "mozgach-scheduler", "restore", "--from", self.data / "mozgach.db", "--data",
                    self.folder / "new")

    def test_a_port_in_use_is_one_sentence(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            said = "another program listens there; choose another port"
            for listen, http, option in ((address, "127.0.0.1:0", "--listen"), ("127.0.0.1:0", address, "--http")):
                done = self.expect(2, f"{option}: cannot listen on {address}: {said}", "mozgach-scheduler", "--data",
                                   self.data, "--listen", listen, "--http", http)
                self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            (self.folder / "bases").mkdir()
            done = self.expect(2, f"--http: cannot listen on {address}: {said}", "mozgach-worker", "--scheduler",
                               "127.0.0.1:1", "--data", self.folder / "worker", "--bases", self.folder / "bases",
                               "--http", address)
            self.assertEqual(done.stderr.count("\nmozgach-worker: "), 1, done.stderr)

    def test_a_scheduler_that_is_stopped_is_not_taken_for_one_with_tls(self):
        process, address = self.start_scheduler()
        process.send_signal(19)
        done = self.expect(3, "stopped or stuck", "mozgachctl", "--scheduler", address, "ps")
        self.assertNotIn("TLS", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
