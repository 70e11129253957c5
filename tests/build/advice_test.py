"""Advice names only commands and options that exist: what string literals and documents call `mozgachctl …`,
`mozgach-scheduler …`, `mozgach-worker …`, `mozgach-trainer …` or `deploy/…` is held against the programs' --help."""

import functools
import os
import pathlib
import re
import subprocess
import unittest

SOURCE = pathlib.Path(os.environ.get("MOZGACH_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
BIN = pathlib.Path(os.environ.get("MOZGACH_BUILD_DIR", SOURCE / "build")) / "bin"
PROGRAMS = ("mozgachctl", "mozgach-scheduler", "mozgach-worker", "mozgach-trainer")
FOLDERS = ("common", "ctl", "deploy", "failpoint", "planner", "registry", "scheduler", "security", "trainer", "worker")
CALL = re.compile(r"(?<![\w/.-])(?:build/bin/|/usr/local/bin/|/opt/mozgach/build/bin/)?"
                  r"(mozgachctl|mozgach-(?:scheduler|worker|trainer))((?: +[^\s`;,()\"]+)*)")
SCRIPT = re.compile(r"(?<![\w/.-])deploy/([\w/.-]*\w)((?: +--[\w-]+)*)")
STRING = re.compile(r'"((?:\\.|[^"\\\n])*)"')
HOLE = "\0"  # between two literals: a value that is put in


@functools.lru_cache(maxsize=None)
def help_of(program, path=()):
    done = subprocess.run([BIN / program, *path, "--help"], capture_output=True, text=True, check=False, timeout=60)
    return done.stdout if done.returncode == 0 else ""


def section(text, title):
    found = re.search(rf"^{title}:\n((?:  .*\n|\n)*)", text, re.M)
    return found[1] if found else ""


@functools.lru_cache(maxsize=None)
def commands(program, path=()):
    return set(re.findall(r"^  ([a-z][\w-]*)", section(help_of(program, path), "Subcommands"), re.M))


@functools.lru_cache(maxsize=None)
def takes_words(program, path=()):
    return bool(section(help_of(program, path), "Positionals"))


@functools.lru_cache(maxsize=None)
def options(program, path=()):
    """Those of the command and of what stands before it."""
    found = set()
    for end in range(len(path) + 1):
        found |= set(re.findall(r"(?<![\w-])(--[a-z][\w-]*|-\w)(?![\w-])", help_of(program, path[:end])))
    return found


def wrong_in(program, words, quoted):
    """What of a command does not exist; None: all does.  Where nothing tells prose from a command, only words that
    stand in backquotes are taken for commands."""
    path = ()
    for index, word in enumerate(words):
        if word in (HOLE, "…", "|", "&&", "<", ">", "\\"):
            if word in ("|", "&&", "<", ">"):
                break
            continue
        if word.startswith("-"):
            option = re.split(r"[=\]]", word)[0].rstrip(".:'…")
            if re.fullmatch(r"--[a-z][\w-]*|-[a-z]", option) and option not in options(program, path):
                return f"{' '.join((program, *path))} has no option {option}"
        elif re.fullmatch(r"[a-z][a-z-]*", word.rstrip(".:?")) and commands(program, path):
            word = word.rstrip(".:?")
            if word in commands(program, path):
                path = (*path, word)
            elif quoted and not (index > 0 and words[index - 1].startswith("--")):
                return f"{' '.join((program, *path))} has no command {word}"
            else:
                break
    return None


def literals(text):
    """The string literals of a C++ source, as they follow one another in one statement, HOLE between those that an
    expression separates."""
    text = re.sub(r'//[^\n"]*$', "", text, flags=re.M)
    for statement in text.split(";\n"):
        last, joined = 0, ""
        for found in STRING.finditer(statement):
            between = statement[last:found.start()]
            joined += ("" if not between.strip() else f" {HOLE} ") if last else ""
            joined += found[1].replace('\\"', "'").replace("\\n", " ; ")
            last = found.end()
        if joined:
            yield joined


def texts():
    """(file, text, whether it is code of a person's shell)."""
    for folder in FOLDERS:
        for path in sorted((SOURCE / folder).rglob("*")):
            if path.suffix in (".cc", ".h") and path.is_file():
                for literal in literals(path.read_text()):
                    yield str(path.relative_to(SOURCE)), literal
    documents = [SOURCE / "README.md", SOURCE / "ARCHITECTURE.md", *sorted((SOURCE / "docs").glob("*.md"))]
    documents += [path for path in sorted((SOURCE / "deploy").rglob("*"))
                  if path.is_file() and path.suffix in ("", ".service", ".timer")]
    for path in documents:
        for paragraph in re.split(r"\n(?:[ \t]*\n)+", path.read_text().replace("```", "")):
            yield str(path.relative_to(SOURCE)), paragraph


def calls(text):
    """(program, words, whether it stands in backquotes or begins a line of code)."""
    spans = [(found.start(1), found.end(1)) for found in re.finditer(r"`([^`]+)`", text)]
    for found in CALL.finditer(text):
        end = min([last for first, last in spans if first <= found.start() < last], default=None)
        words = found[2] if end is None else found[0][len(found[0]) - len(found[2]):max(0, end - found.start())]
        if end is not None:
            words = text[found.start():end].replace("\n", " ").partition(found[1])[2]
        yield found[1], tuple(words.split()), end is not None


def wrong_scripts(text):
    for name, words in SCRIPT.findall(text):
        path = SOURCE / "deploy" / name
        if not path.exists():
            yield f"deploy/{name} does not exist"
            continue
        for option in words.split():
            if path.is_file() and option not in path.read_text():
                yield f"deploy/{name} has no option {option}"


class AdviceTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        missing = [program for program in PROGRAMS if not (BIN / program).exists()]
        if missing:
            self.skipTest(f"not built: {', '.join(missing)}")

    def test_commands_and_options_exist(self):
        wrong, seen = [], 0
        for file, text in texts():
            for program, words, quoted in calls(text):
                seen += bool(words)
                problem = wrong_in(program, words, quoted)
                if problem:
                    wrong.append(f"{file}: {problem}")
            wrong += [f"{file}: {problem}" for problem in wrong_scripts(text)]
        self.assertEqual(sorted(set(wrong)), [])
        self.assertGreater(seen, 150)

    def test_what_does_not_exist_is_found(self):
        for text, problem in (("try `mozgachctl fleet renew`", "mozgachctl fleet has no command renew"),
                              ("`mozgachctl renew`", "mozgachctl has no command renew"),
                              ("`mozgachctl fleet worker NAME --renew`", "mozgachctl fleet worker has no option --renew"),
                              ("mozgach-scheduler doctor --data D --fix", "mozgach-scheduler doctor has no option --fix"),
                              ("mozgach-worker --lisen", "mozgach-worker has no option --lisen")):
            with self.subTest(text=text):
                self.assertEqual([wrong_in(*call) for call in calls(text)], [problem])

    def test_what_exists_is_not_found(self):
        for text in ("`mozgachctl fleet worker NAME --replace`", "`mozgachctl --json ps`", "mozgachctl sends what is",
                     "`mozgachctl drain --undo alpha`", "mozgachctl gc --dry-run lists that"):
            with self.subTest(text=text):
                self.assertEqual([wrong_in(*call) for call in calls(text)], [None])

    def test_scripts(self):
        self.assertEqual(list(wrong_scripts("`deploy/quickstart --keep`, deploy/nothing, deploy/setup --no-what")),
                         ["deploy/nothing does not exist", "deploy/setup has no option --no-what"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
