"""deploy/progress shows what a long command does, and leaves its exit code and its messages alone."""

import os
import pathlib
import pty
import re
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ.get("MOZGACH_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
NINJA = "echo '[17/120] Building CXX object common/CMakeFiles/mozgach_common.dir/a.o'; sleep 2.5"


class ProgressTest(unittest.TestCase):
    def setUp(self):
        self.log = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / "log"

    def words(self, what, script):
        return [SOURCE / "deploy/progress", "deploy/build", what, self.log, "bash", "-c", script]

    def run_it(self, what, script):
        return subprocess.run(self.words(what, script), capture_output=True, text=True, check=False,
                              env={**os.environ, "MOZGACH_PROGRESS_SECONDS": "1"})

    def test_says_which_target_of_how_many(self):
        done = self.run_it("building", NINJA)
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertRegex(done.stderr, r"^deploy/build: building\n")
        self.assertRegex(done.stderr, r"\ndeploy/build: building, 17 of 120: mozgach_common, [1-9] s\n")

    def test_says_what_another_command_said_last(self):
        done = self.run_it("installing", "echo first; printf 'Unpacking\\033[1m g++\\n'; sleep 1.5")
        self.assertRegex(done.stderr, r"deploy/build: installing, Unpacking\[1m g\+\+, [1-9] s")

    def test_on_a_terminal_one_line_is_updated(self):
        try:
            leader, follower = pty.openpty()
        except OSError as error:
            self.skipTest(f"this machine has no pseudo-terminals: {error}")
        subprocess.run(self.words("building", NINJA), stderr=follower, check=True)
        os.close(follower)
        said = b""
        try:
            while block := os.read(leader, 4096):
                said += block
        except OSError:
            pass  # its end
        os.close(leader)
        self.assertIn(b"\r\x1b[Kdeploy/build: building, 17 of 120", said)
        self.assertNotIn(b"\n", said)

    def test_a_failure_shows_the_messages_and_its_exit_code(self):
        done = self.run_it("building", "echo the reason; exit 7")
        self.assertEqual(done.returncode, 7)
        self.assertIn("the reason\n", done.stderr)
        self.assertEqual(self.log.read_text(), "the reason\n")

    def test_setup_build_and_what_calls_them_show_it(self):
        for script in ("setup", "build"):
            self.assertIn("deploy/progress ", (SOURCE / "deploy" / script).read_text())
        for script in ("deploy/quickstart", "tests/run"):
            text = (SOURCE / script).read_text()
            self.assertTrue(re.search(r"^deploy/setup", text, re.M) and re.search(r"^deploy/build", text, re.M))


if __name__ == "__main__":
    unittest.main(verbosity=2)
