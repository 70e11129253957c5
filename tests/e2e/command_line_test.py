"""What the four programs say to empty values, and how they print what others wrote."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

BUILD = pathlib.Path(os.environ["MOZGACH_BUILD_DIR"]) / "bin"
PROGRAMS = ["mozgach-scheduler", "mozgach-worker", "mozgach-trainer", "mozgachctl"]
OPTION = re.compile(r"^  (?:-\w,)?(--[\w-]+) (?:TEXT|INT|UINT|FLOAT|NUMBER)", re.M)
POSITIONAL = re.compile(r"^  ([A-Z][A-Z_-]+) TEXT", re.M)
MAY_BE_EMPTY = {"--prompt"}


def run(program, *words, **environment):
    return subprocess.run([BUILD / program, *words], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, env={**os.environ, **environment})


def section(help_text, title):
    """The lines of a section of --help."""
    found = re.search(rf"^{title}:\n((?:  .*\n|\n)*)", help_text, re.M)
    return found.group(1) if found else ""


def commands(program, path=()):
    """(path, help) of a program and of everything below it."""
    text = run(program, *path, "--help").stdout
    yield path, text
    for name in re.findall(r"^  ([a-z][\w-]*)", section(text, "Subcommands"), re.M):
        yield from commands(program, (*path, name))


class EmptyValuesTest(unittest.TestCase):
    def expect_usage_error(self, program, *words):
        with self.subTest(program=program, words=words):
            done = run(program, *words)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("the value is empty; give one, or leave it out", done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_no_option_and_no_argument_takes_an_empty_value(self):
        for program in PROGRAMS:
            options = 0
            for path, text in commands(program):
                for option in sorted(set(OPTION.findall(text)) - MAY_BE_EMPTY):
                    options += 1
                    self.expect_usage_error(program, *path, option, "")
                    self.expect_usage_error(program, *path, option + "=")
                for _ in POSITIONAL.findall(section(text, "Positionals")):
                    options += 1
                    self.expect_usage_error(program, *path, "")
            self.assertGreater(options, 9, program)

    def test_an_empty_variable_counts_as_not_set(self):
        done = run("mozgachctl", "fleet", "whoami", MOZGACH_SCHEDULER="", MOZGACH_TLS="",
                   MOZGACH_TOKEN="")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("127.0.0.1:7108", done.stderr)


class ControlCharactersTest(unittest.TestCase):
    def check(self, done, shown):
        said = done.stdout + done.stderr
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(shown, said)
        for bad in ("\x1b", "\u009b", "\u202e", "\x07"):
            self.assertNotIn(bad, said)

    def test_errors_show_what_others_wrote_without_obeying_it(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "rows.jsonl").write_text('{"text": "a"}\n')
            evil = root / "evil\x1b[2J\u202e.yaml"
            evil.write_text('domain: law\nbase: a/b\ndata: {train: rows.jsonl}\n"k\\e[31m\\u009b": 1\n')
            self.check(run("mozgachctl", "submit", "--dry-run", evil), "evil\\x1b[2J\\u202e.yaml:4")
            self.check(run("mozgachctl", "plan", evil, "--memory", "8GiB"), "\\x1b[2J")
            self.check(run("mozgach-trainer", "train", "--domain", evil, "--base", root,
                           "--output", root / "out"), "\\x1b[2J")
            rows = root / "good.yaml"
            rows.write_text("domain: law\nbase: a/b\ndata: {train: evil.jsonl}\n")
            (root / "evil.jsonl").write_text('{"text\\u001b[31m\\u009b": "a\\u001b[31m"}\n')
            self.check(run("mozgachctl", "submit", "--dry-run", rows), "evil.jsonl")
        for program in PROGRAMS:
            words = {"mozgach-trainer": ["devices"], "mozgachctl": ["ps"]}.get(program, [])
            self.check(run(program, *words, "--da\x1b[31mta\u202e"), "\\x1b[31m")
        self.check(run("mozgach-scheduler", "--data", "/nonexistent/\x1b[31m", "--config",
                       "/no/\x1b[31m"), "\\x1b[31m")
        self.check(run("mozgach-worker", "--scheduler", "\x1b[31m", "--data", "/tmp", "--bases",
                       "/no/\x1b[31m"), "\\x1b[31m")

    def test_grpc_writes_no_lines_of_its_own(self):
        done = run("mozgachctl", "--scheduler", "no such host:1", "ps")
        self.assertNotRegex(done.stderr, r"(?m)^[EIWD]\d{4} ")
        self.assertTrue(done.stderr.startswith("mozgachctl: "), done.stderr)


if __name__ == "__main__":
    unittest.main()
