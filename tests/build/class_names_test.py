"""No program defines a class, struct, union or enum twice under one name: two classes of one name in one
program are undefined behaviour that no compiler reports.

What a program is made of comes from build/targets.json, which CMake writes; headers are those that its sources
include.  A name in an unnamed namespace belongs to its file and may be used again.
"""

import collections
import functools
import json
import os
import pathlib
import re
import unittest

SOURCE = pathlib.Path(os.environ.get("MOZGACH_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
BUILD = pathlib.Path(os.environ.get("MOZGACH_BUILD_DIR", SOURCE / "build"))
TOKEN = re.compile(r"[A-Za-z_]\w*|::|[^\sA-Za-z_]")
KEYS = {"class", "struct", "union", "enum"}
UNNAMED = "(unnamed)"

TEXT = re.compile(
    r'R"([^()\\\s]{0,16})\((?:.|\n)*?\)\1"'              # raw strings
    r'|"(?:\\(?:.|\n)|[^"\\\n])*"'                        # strings
    r"|(?<![0-9A-Za-z_])'(?:\\.|[^'\\\n])+'"              # characters, not 10'000
    r"|//(?:\\\n|[^\n])*|/\*(?:.|\n)*?\*/"                # comments
    r"|^[ \t]*#(?:\\\n|[^\n])*", re.MULTILINE)            # the preprocessor


def without_text(source):
    return TEXT.sub(lambda found: "''" if found[0][0] in "R\"'" else " ", source)


def without_brackets(tokens, opening, closing):
    depth, kept = 0, []
    for token in tokens:
        depth += (token == opening) - (token == closing and depth > 0)
        if depth == 0 and token not in (opening, closing):
            kept.append(token)
    return kept


def class_name(statement):
    """The name that a class head defines; None if the statement is not a class head."""
    tokens = list(statement)
    while tokens and tokens[0] == "template":
        depth, end = 0, 1
        while end < len(tokens):
            depth += {"<": 1, ">": -1}.get(tokens[end], 0)
            end += 1
            if depth == 0:
                break
        tokens = tokens[end:]
        if tokens[:1] == ["requires"]:  # up to the key of the class
            tokens = tokens[next((i for i, token in enumerate(tokens) if token in KEYS), len(tokens)):]
    tokens = without_brackets(tokens, "[", "]")
    if tokens[:1] == ["typedef"]:
        tokens = tokens[1:]
    if not tokens or tokens[0] not in KEYS:
        return None
    if len(tokens) > 1 and tokens[0] == "enum" and tokens[1] in ("class", "struct"):
        tokens = tokens[1:]
    name, depth = [], 0
    for token in without_brackets(tokens[1:], "(", ")"):
        if depth == 0 and token in (":", "final", "="):
            break
        depth += {"<": 1, ">": -1}.get(token, 0)
        # Two words in a row: the first was an attribute.
        if name and depth == 0 and re.match(r"\w", token) and re.match(r"\w", name[-1]):
            name = []
        name.append(token)
    if "(" in tokens and "=" in tokens[:tokens.index("(")]:
        return None
    return "".join(name) or None


def definitions(source):
    """Full names of the classes that a source defines where the linker can see them."""
    found, scopes, statement = set(), [], []
    for token in TOKEN.findall(without_text(source)):
        if token == "{":
            scopes.append(scope_of(statement, scopes, found))
            statement = []
        elif token == "}":
            if scopes:
                scopes.pop()
            statement = []
        elif token == ";" or (token == ":" and statement[-1:] in (["public"], ["private"], ["protected"])):
            statement = []
        else:
            statement.append(token)
    return found


def scope_of(statement, scopes, found):
    """What a brace opens: the part of a name, UNNAMED, or None for a body; notes a class that it defines."""
    if statement[:1] == ["extern"]:
        return "" if len(statement) <= 3 else None
    if "namespace" in statement[:2]:
        return "".join(without_brackets(statement[statement.index("namespace") + 1:], "[", "]")) or UNNAMED
    name = class_name(statement)
    if name is None:
        return None
    if None not in scopes and UNNAMED not in scopes:
        found.add("::".join([scope for scope in scopes if scope] + [name]))
    return name


def repeated(sources):
    """{name: files} of the names that more than one of {file: text} defines."""
    files = collections.defaultdict(set)
    for file, text in sources.items():
        for name in definitions(text):
            files[name].add(file)
    return {name: sorted(where) for name, where in files.items() if len(where) > 1}


@functools.lru_cache(maxsize=None)
def text_of(file):
    path = SOURCE / file
    return path.read_text() if path.is_file() else ""


@functools.lru_cache(maxsize=None)
def definitions_in(file):
    return definitions(text_of(file))


@functools.lru_cache(maxsize=None)
def included_by(file):
    return [name for name in re.findall(r'^\s*#\s*include "([^"]+)"', text_of(file), re.MULTILINE)
            if (SOURCE / name).is_file()]


def with_headers(files):
    found, left = set(), list(files)
    while left:
        file = left.pop()
        if file not in found:
            found.add(file)
            left += included_by(file)
    return found


def targets():
    return {target["name"]: target for target in json.loads((BUILD / "targets.json").read_text())}


def parts_of(name, all_targets):
    """The target and all that it links, directly or not."""
    found, left = set(), [name]
    while left:
        part = left.pop()
        if part in found or part not in all_targets:
            continue
        found.add(part)
        for field in ("sources", "links"):
            left += re.findall(r"[\w.-]+", all_targets[part][field])  # also in $<TARGET_OBJECTS:…>
    return found


def sources_of(name, all_targets):
    """Its files in the repository; what the build generates, planted faults among it, is left out."""
    files = set()
    for part in parts_of(name, all_targets):
        for source in all_targets[part]["sources"].split(";"):
            path = pathlib.Path(os.path.normpath(pathlib.Path(all_targets[part]["folder"]) / source))
            if path.suffix == ".cc" and path.is_relative_to(SOURCE) and not path.is_relative_to(BUILD):
                files.add(str(path.relative_to(SOURCE)))
    return with_headers(files)


def repeated_in_programs():
    all_targets, found = targets(), {}
    for name, target in all_targets.items():
        if target["type"] != "EXECUTABLE":
            continue
        files = collections.defaultdict(set)
        for file in sources_of(name, all_targets):
            for defined in definitions_in(file):
                files[defined].add(file)
        for defined, where in files.items():
            if len(where) > 1:
                found.setdefault((defined, *sorted(where)), []).append(name)
    return found


class ClassNamesTest(unittest.TestCase):
    maxDiff = None

    def test_none_is_defined_twice_in_a_program(self):
        self.assertEqual(repeated_in_programs(), {}, "rename one, or move it into an unnamed namespace")

    def test_programs_are_seen_whole(self):
        known = targets()
        if "mozgach-scheduler" in known:
            files = sources_of("mozgach-scheduler", known)
            self.assertLess({"scheduler/daemon/main.cc", "scheduler/core/core.h", "registry/database.cc"}, files)
        if "mozgach-trainer" in known:
            files = sources_of("mozgach-trainer", known)
            self.assertLess({"trainer/models/decoder.h", "trainer/tokenizer/tokenizer.cc"}, files)
        defined = set().union(*(definitions_in(file) for name in known for file in sources_of(name, known)))
        self.assertGreater(len(defined), 200)
        self.assertEqual([name for name in defined if not re.fullmatch(r"[\w:]+(<.*>)?", name)], [])

    def test_a_second_class_is_found(self):
        one = "// class Text {\nnamespace mozgach {\nclass Decoder {\n public:\n  struct Part { int a = 1; };\n};\n}"
        for other in ("namespace mozgach { struct Decoder { int x; }; }",
                      "namespace mozgach {\nnamespace {\nint a;\n}\nclass [[nodiscard]] Decoder final : B<int> {};\n}",
                      "namespace mozgach { template <typename T, class U> class Decoder : public T {}; }",
                      "namespace mozgach { enum class Decoder : int { kOne }; }",
                      "namespace mozgach { const char a[] = \"}\"; void F() { if (true) { return; } }\nunion Decoder {}; }"):
            with self.subTest(other=other):
                self.assertEqual(repeated({"a.h": one, "b.cc": other}), {"mozgach::Decoder": ["a.h", "b.cc"]})

    def test_a_nested_class_that_is_defined_outside_is_found(self):
        part = "namespace mozgach { struct Session::Running { int x; }; }"
        self.assertIn("mozgach::Session::Running", repeated({"a.cc": part, "b.cc": part}))

    def test_what_belongs_to_one_file_is_not_found(self):
        for text in ("namespace mozgach { namespace { class Decoder {}; } }",
                     "namespace mozgach::other { class Decoder {}; }",
                     "namespace mozgach { class Decoder; void F(struct Decoder* d) { } }",
                     "namespace mozgach { void F() { struct Decoder {}; } auto f = [] { class Decoder {}; }; }",
                     "namespace mozgach { class Other { class Decoder {}; }; }",
                     "namespace mozgach { const char kText[] = R\"x(class Decoder {})x\"; }"):
            with self.subTest(text=text):
                self.assertEqual(repeated({"a.h": "namespace mozgach { class Decoder {}; }", "b.cc": text}), {})


if __name__ == "__main__":
    unittest.main(verbosity=2)
