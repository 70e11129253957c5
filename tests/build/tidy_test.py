"""The repository keeps its own rules: headers open with what they are, tests are registered, files stay short."""

import os
import pathlib
import re
import unittest

SOURCE = pathlib.Path(os.environ.get("MOZGACH_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
FOLDERS = ("failpoint", "common", "planner", "proto", "registry", "security", "scheduler", "worker", "trainer", "ctl", "tests")
LINES_MAX = 400
COLUMNS_MAX = 100


def files(*suffixes):
    return sorted(path for folder in FOLDERS for path in (SOURCE / folder).rglob("*")
                  if path.is_file() and path.name.endswith(suffixes))


class TidyTest(unittest.TestCase):
    def test_every_header_opens_with_what_it_is(self):
        bare = [f for f in files(".h") if not f.read_text().startswith("//")]
        self.assertEqual(bare, [])

    def test_every_header_is_guarded(self):
        self.assertEqual([f for f in files(".h") if "#pragma once" not in f.read_text()], [])

    def test_every_test_is_registered(self):
        lost = []
        for test in files("_test.cc", "_test.py"):
            folder = next(f for f in test.parents if (f / "CMakeLists.txt").exists())
            name = re.escape(str(test.relative_to(folder)))
            if not re.search(rf"(?<![\w/]){name}\b", (folder / "CMakeLists.txt").read_text()):
                lost.append(test)
        self.assertEqual(lost, [])

    def test_files_and_lines_stay_short(self):
        for file in files(".h", ".cc"):
            lines = file.read_text().split("\n")
            with self.subTest(file=file):
                self.assertLessEqual(len(lines), LINES_MAX)
                wide = [i + 1 for i, line in enumerate(lines) if len(line) > COLUMNS_MAX]
                self.assertEqual(wide, [], f"lines over {COLUMNS_MAX} columns")

    def test_nothing_is_called_by_a_word_that_says_nothing(self):
        vague = re.compile(r"(^|_)(util|utils|helper|helpers|manager|misc)(_|\.)")
        self.assertEqual([f for f in files(".h", ".cc", ".py") if vague.search(f.name)], [])

    def test_the_whole_of_torch_is_included_nowhere(self):
        heavy = [f for f in files(".h", ".cc") if "torch/torch.h" in f.read_text()]
        self.assertEqual(heavy, [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
