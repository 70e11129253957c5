"""The README's first command, in a copy of its own data folder: one domain, then again."""

import os
import re
import subprocess
import time
import unittest

from fleet import SOURCE


def runs(pid):
    """A process that has ended may stay in the table until somebody asks for its exit code."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


class QuickstartTest(unittest.TestCase):
    def run_quickstart(self, *words):
        started = time.monotonic()
        done = subprocess.run([str(SOURCE / "deploy/quickstart"), *words], capture_output=True, text=True,
                              timeout=300, env={**os.environ, "MOZGACH_QUICKSTART_DATA": self.data})
        print(f"quickstart {' '.join(words)}: {time.monotonic() - started:.1f} s")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def setUp(self):
        import tempfile
        folder = tempfile.TemporaryDirectory(prefix="mozgach-quickstart-")
        self.addCleanup(folder.cleanup)
        self.data = os.path.join(folder.name, "data")

    def test_first_run_trains_second_says_unchanged_fresh_starts_over(self):
        out = self.run_quickstart("--domains", "1")
        row = re.search(r"^(\S+) +(\d+) +(\d+) +([\d.]+) +(\d+) % +(\d+) % +(/\S+/v0001)$", out, re.MULTILINE)
        self.assertIsNotNone(row, out)
        self.assertLessEqual(int(row.group(5)), 15)
        self.assertGreaterEqual(int(row.group(6)), 70)
        self.assertTrue(os.path.exists(row.group(7) + "/adapter_model.safetensors"))
        self.assertIn("unchanged", self.run_quickstart("--domains", "1"))
        self.assertNotIn("unchanged", self.run_quickstart("--domains", "1", "--fresh"))

    def test_what_a_kept_fleet_is_said_to_do_it_does(self):
        out = self.run_quickstart("--domains", "1", "--keep")
        self.addCleanup(self.run_quickstart, "--stop")
        pids = [int(open(f"{self.data}/{name}.pid").read()) for name in ("scheduler", "worker")]
        generate = re.search(r"^  (mozgach-trainer generate .*)$", out, re.MULTILINE).group(1)
        done = subprocess.run(["bash", "-c", generate], capture_output=True, text=True, cwd=SOURCE,
                              env={**os.environ, "PATH": f"{SOURCE}/build/bin:{os.environ['PATH']}"})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("2032", done.stdout)
        self.run_quickstart("--stop")
        for pid in pids:
            self.assertFalse(runs(pid), pid)

    def test_a_pid_of_another_program_is_left_alone(self):
        other = subprocess.Popen(["sleep", "60"])
        self.addCleanup(other.wait)
        self.addCleanup(other.kill)
        os.makedirs(self.data)
        pid_file = os.path.join(self.data, "scheduler.pid")
        with open(pid_file, "w") as file:
            file.write(str(other.pid))
        self.run_quickstart("--stop")
        self.assertIsNone(other.poll())
        self.assertFalse(os.path.exists(pid_file))

    def test_a_word_it_does_not_know_is_exit_code_2(self):
        done = subprocess.run([str(SOURCE / "deploy/quickstart"), "--domain"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--domain", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
