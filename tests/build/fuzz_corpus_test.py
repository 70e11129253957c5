"""Every call of every service has an input in the corpus of the target that makes calls, and every target a corpus."""

import os
import pathlib
import re
import unittest

SOURCE = pathlib.Path(os.environ.get("MOZGACH_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
FUZZ = SOURCE / "tests" / "fuzz"


def calls():
    found = set()
    for path in (SOURCE / "proto").rglob("*.proto"):
        text = path.read_text()
        package = re.search(r"^package ([\w.]+);", text, re.MULTILINE)[1]
        for service in re.finditer(r"^service (\w+) \{(.*?)^\}", text, re.MULTILINE | re.DOTALL):
            found |= {f"{package}.{service[1]}/{name}" for name in re.findall(r"^  rpc (\w+)\(", service[2], re.MULTILINE)}
    return found


class FuzzCorpusTest(unittest.TestCase):
    def test_every_call_has_an_input(self):
        first_lines = {path.read_bytes().split(b"\n")[0].decode(errors="replace")
                       for path in (FUZZ / "corpus" / "call").iterdir()}
        self.assertGreater(len(calls()), 20)
        self.assertEqual(calls() - first_lines, set())

    def test_every_target_has_a_corpus(self):
        targets = {path.name.removesuffix("_fuzz.cc") for path in FUZZ.glob("*_fuzz.cc")}
        self.assertEqual(targets, {path.name for path in (FUZZ / "corpus").iterdir() if any(path.iterdir())})


if __name__ == "__main__":
    unittest.main()
