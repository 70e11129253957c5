"""A model family is known in one place: only planner/model_family.cc compares names of families.

Code that needs a difference between families reads a flag of ModelConfig. trainer/tokenizer/tokenizer_class.cc is the
exception: it repeats a table of transformers that is keyed by model_type, and does not link the planner.
"""

import os
import pathlib
import re
import unittest

SOURCE = pathlib.Path(os.environ.get("MOZGACH_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
FOLDERS = ("common", "ctl", "planner", "proto", "registry", "scheduler", "trainer", "worker")
KNOWN = ("planner/model_family.cc", "trainer/tokenizer/tokenizer_class.cc")
COMPARED = re.compile(r'\bmodel_type\b\s*[=!]=\s*"|"\s*[=!]=\s*\w*\.?model_type\b|[=!]=\s*"gemma3_text"')


class FamilyNamesTest(unittest.TestCase):
    def test_only_the_table_of_families_compares_names(self):
        found = []
        for folder in FOLDERS:
            for path in sorted((SOURCE / folder).rglob("*")):
                name = str(path.relative_to(SOURCE))
                if path.suffix in (".h", ".cc") and name not in KNOWN:
                    found += [f"{name}: {line.strip()}" for line in path.read_text().split("\n") if COMPARED.search(line)]
        self.assertEqual(found, [])

    def test_a_comparison_is_found(self):
        self.assertRegex('return config_.model_type == "qwen3";', COMPARED)
        self.assertNotRegex('config.model_type = family.model_type;', COMPARED)


if __name__ == "__main__":
    unittest.main(verbosity=2)
