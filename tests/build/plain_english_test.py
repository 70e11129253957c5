"""Comments, messages and documents are in plain English: constructions that readers stumble over do not come back.

HOUSE style: short sentences with a subject and a verb. A line that needs one of these words anyway is listed in
ALLOWED with the reason. `plain_english_test.py --all` lists the folders of NOT_YET too.
"""

import os
import pathlib
import re
import subprocess
import sys
import unittest

SOURCE = pathlib.Path(os.environ.get("MOZGACH_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))

# pattern: what to write instead
REJECTED = {
    r"\bwhoever\b": "'anyone who', or name the caller",
    r"\bwhom\b": "'who', or name the person",
    r"\bof which there\b": "a sentence of its own",
    r"\bwhich there (is|are) not\b": "'does not exist'",
    r"\bthere (is|are) not\b": "'does not exist', 'is missing'",
    r"\bthere is none that\b": "'no X does Y'",
    r"(?<!there )\bis no (?!longer\b|more than\b)": "'is not a', 'X does not exist', 'without'",
    r"(?<!there )\bare no (?!longer\b|more than\b)": "'are not', 'without'",
    r"\bmay everything\b": "'has full access'",
    r"\banew\b": "'again', 'from the start'",
    r"\bso little\b": "the number",
    r"\bthat there is not\b": "'does not exist'",
    r"\bhas no use for\b": "'does not accept', 'unexpected'",
    r"\bnobody (is|was|may|has)\b": "a sentence about what happens",
}
# How a comment may not begin.
BEGINNINGS = re.compile(r"(Of|That|Which|Likewise|There)\b", re.IGNORECASE)

# Folders whose sources are still to be rewritten. A folder that is done leaves this list.
NOT_YET = ()

# (file, text of the line): why it stays.
ALLOWED = {}

CODE = (".h", ".cc", ".cu", ".proto")
SCRIPTS = (".py", ".cmake", ".sh", ".yaml", ".yml", ".service", ".timer", ".sql")
PROSE = (".md",)
SKIPPED = ("domains/", "tests/fuzz/corpus/", "tests/build/plain_english_test.py", "CHANGELOG.md", "LICENSE",
           "tests/trainer/chat/jinja_vectors.json", "tests/scheduler/schemas/", "scheduler/sql/00")


def tracked():
    """The files of the repository; without git (a release archive) all that lie here."""
    listed = subprocess.run(["git", "-C", SOURCE, "ls-files"], capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        return listed.stdout.splitlines()
    return [str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*")
            if path.is_file() and path.relative_to(SOURCE).parts[0] not in (".venv", ".git")
            and not path.relative_to(SOURCE).parts[0].startswith("build")]


def comment_blocks(text, marks):
    """[(line, text)]: each run of lines that are comments, or the comment at the end of a line, as one text."""
    blocks, previous = [], None
    for number, line in enumerate(text.split("\n"), 1):
        found = re.match(rf"\s*(?:{marks})(?!/) ?(.*)$", line)
        if found:
            if previous == "whole" and found[1] and blocks:
                blocks[-1][1] += " " + found[1]
            else:
                blocks.append([number, found[1]])
            previous = "whole" if found[1] else None
            continue
        previous = None
        found = re.search(rf"(?<=[;,{{}})>]) +(?:{marks}) ?(.*)$", line)
        if found and line[:found.start()].count('"') % 2 == 0:
            blocks.append([number, found[1]])
            previous = "whole"
    return [(number, block) for number, block in blocks]


def faults(name, text):
    """[(line, what)] of one file."""
    found = []
    suffix = pathlib.Path(name).suffix
    for number, line in enumerate(text.split("\n"), 1):
        for pattern, instead in REJECTED.items():
            if re.search(pattern, line, re.IGNORECASE) and (name, line.strip()) not in ALLOWED:
                found.append((number, f"{re.search(pattern, line, re.IGNORECASE)[0]!r}: write {instead}"))
    if suffix not in PROSE:
        marks = "//" if suffix in CODE else "--" if suffix == ".sql" else "#"
        for number, block in comment_blocks(text, marks):
            first = text.split("\n")[number - 1].strip()
            if BEGINNINGS.match(block) and (name, first) not in ALLOWED:
                found.append((number, f"a comment begins with {block.split()[0]!r}: begin with the noun or the verb"))
    return found


def all_faults():
    """{folder: ["file:line: what"]} of all files that are read."""
    found = {}
    for name in tracked():
        path = SOURCE / name
        readable = path.suffix in CODE + SCRIPTS + PROSE or path.name in ("run", "setup", "build", "quickstart")
        if name.startswith(SKIPPED) or not readable or not path.is_file():
            continue
        for number, what in faults(name, path.read_text(errors="replace")):
            found.setdefault(os.path.dirname(name) or ".", []).append(f"{name}:{number}: {what}")
    return found


class PlainEnglishTest(unittest.TestCase):
    def test_rejected_constructions_do_not_come_back(self):
        wrong = [line for folder, lines in all_faults().items() if folder not in NOT_YET for line in lines]
        self.assertEqual(wrong, [], f"{len(wrong)} places:\n" + "\n".join(wrong))

    def test_folders_that_are_done_leave_the_list(self):
        self.assertEqual(sorted(set(NOT_YET) - set(all_faults())), [])

    def test_exceptions_are_still_needed(self):
        for name, line in ALLOWED:
            with self.subTest(file=name, line=line):
                self.assertIn(line, [each.strip() for each in (SOURCE / name).read_text().split("\n")])

    def test_constructions_are_found(self):
        for line in ("// Whoever can open it may everything.", "int a;  // of the begin", "// That it is.",
                     'return Error("v0009, which there is not");', "// The job begins anew.", "// It is no base.",
                     "// Which blobs stay.", "// There are two."):
            with self.subTest(line=line):
                self.assertTrue(faults("a.cc", line))
        for line in ("// Offers work.", "int a;  // off", "// The job is no longer queued.", "x = 1;  // bytes",
                     '// The rest\n// of a sentence goes on.'):
            with self.subTest(line=line):
                self.assertEqual(faults("a.cc", line), [])


if __name__ == "__main__":
    if sys.argv[1:] == ["--all"]:
        print("\n".join(line for lines in all_faults().values() for line in lines))
        sys.exit(0)
    unittest.main(verbosity=2)
