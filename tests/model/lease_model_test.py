"""The model of the lease protocol: spin finds nothing wrong with it, and does without the guard."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

MODEL = pathlib.Path(__file__).with_name("lease.pml")


def explore(*flags):
    """What pan says of the model: number of errors, of states, and all of its words."""
    with tempfile.TemporaryDirectory() as folder:
        def run(*command):
            return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout

        run("spin", *flags, "-a", str(MODEL))
        run("gcc", "-O2", "-DSAFETY", "-DCOLLAPSE", "-w", "-o", "pan", "pan.c")
        words = run("./pan", "-m1000000", "-n")
    errors = int(re.search(r"errors: (\d+)", words).group(1))
    states = float(re.search(r"([\d.e+]+) states, stored", words).group(1))
    return errors, states, words


class LeaseModel(unittest.TestCase):
    def test_nothing_is_wrong_with_it(self):
        errors, states, words = explore()
        self.assertEqual(errors, 0, words)
        self.assertNotIn("max search depth too small", words)
        self.assertNotIn("Search not completed", words)
        self.assertGreater(states, 100_000, "too small to mean anything")
        print(f"{states:.0f} states, nothing wrong", file=sys.stderr)

    def test_without_the_guard_a_version_is_of_another_attempt(self):
        errors, states, words = explore("-DNO_GUARD")
        self.assertEqual(errors, 1, words)
        self.assertIn("assertion violated", words)


if __name__ == "__main__":
    if shutil.which("spin") is None:
        print("spin is not here: tests/setup installs it", file=sys.stderr)
        sys.exit(77)
    unittest.main()
