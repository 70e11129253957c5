"""Includes point downwards: a folder uses only folders that come before it in ORDER, so there are no cycles.
No folder is crowded."""

import collections
import os
import pathlib
import re
import unittest

SOURCE = pathlib.Path(os.environ.get("MOZGACH_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
SOURCES_MAX = 45

ORDER = """
common failpoint common/domain common/base common/dataset common/web
registry planner proto security
trainer/tokenizer/text trainer/tokenizer/bpe trainer/tokenizer
trainer/chat/jinja/value trainer/chat/jinja/syntax trainer/chat/jinja trainer/chat trainer/data
scheduler/jobs scheduler/state scheduler/placement scheduler/views scheduler/core scheduler/executor scheduler/upkeep
scheduler/access scheduler/services scheduler/http scheduler/daemon
worker/session worker/transfer worker/trainer worker/agent
ctl/local ctl/client ctl/display ctl/commands
trainer/memory trainer/device trainer/kernels trainer/checkpoint trainer/quant trainer/lora trainer/attention
trainer/models trainer/train trainer/evaluate trainer/adapter trainer/serve trainer/commands trainer
""".split()

# Programs share libraries, never one another's folders. What a program may use beside its own folders:
SHARED = {"scheduler": ("failpoint", "common", "registry", "planner", "proto", "security"),
          "worker": ("failpoint", "common", "proto", "security", "trainer/chat", "trainer/data", "trainer/tokenizer"),
          "ctl": ("common", "registry", "planner", "proto", "security", "trainer/chat", "trainer/data",
                  "trainer/tokenizer"),
          "trainer": ("failpoint", "common", "planner")}


def sources():
    tops = sorted({folder.split("/")[0] for folder in ORDER})
    return sorted(path for top in tops for path in (SOURCE / top).rglob("*") if path.suffix in (".h", ".cc"))


def name_of(path):
    return str(path.relative_to(SOURCE))


def includes(path):
    """The headers of this repository that a file includes; those that the build generates are left out."""
    found = re.findall(r'^\s*#\s*include "([^"]+)"', path.read_text(), re.MULTILINE)
    return [name for name in found if (SOURCE / name).is_file()]


def folder_of(name):
    return os.path.dirname(name)


def why_not(file, header):
    """Why `file` may not include `header`; empty: it may."""
    above, below = folder_of(file), folder_of(header)
    if above == below:
        return ""
    if ORDER.index(below) > ORDER.index(above):
        return f"{file} includes {header}, but {below} is above {above}"
    top = above.split("/")[0]
    shared = SHARED.get(top)
    if shared is None or below.split("/")[0] == top or below.startswith(shared):
        return ""
    return f"{file} includes {header}, but {top} does not share {below}"


def cycle(edges):
    """One cycle of a graph, as a list of its nodes; empty: there is none."""
    done, path = set(), []

    def visit(node):
        if node in path:
            return path[path.index(node):] + [node]
        if node in done:
            return []
        path.append(node)
        for other in edges.get(node, ()):
            if found := visit(other):
                return found
        path.pop()
        done.add(node)
        return []

    for node in sorted(edges):
        if found := visit(node):
            return found
    return []


class IncludeDirectionTest(unittest.TestCase):
    maxDiff = None

    def test_every_folder_has_its_place(self):
        self.assertEqual(sorted({folder_of(name_of(path)) for path in sources()}), sorted(ORDER))

    def test_includes_point_downwards(self):
        wrong = [reason for path in sources() for header in includes(path)
                 if (reason := why_not(name_of(path), header))]
        self.assertEqual(wrong, [])

    def test_files_do_not_include_one_another_in_a_circle(self):
        self.assertEqual(cycle({name_of(path): includes(path) for path in sources()}), [])

    def test_no_folder_is_crowded(self):
        tests = [path for path in (SOURCE / "tests").rglob("*") if path.suffix in (".h", ".cc", ".py")]
        count = collections.Counter(path.parent for path in sources() + tests)
        self.assertEqual({name_of(folder): number for folder, number in count.items() if number > SOURCES_MAX}, {})

    def test_upward_includes_and_circles_are_found(self):
        self.assertEqual(why_not("scheduler/core/core.cc", "scheduler/state/scheduler_state.h"), "")
        self.assertIn("is above", why_not("scheduler/state/scheduler_state.h", "scheduler/core/core.h"))
        self.assertIn("does not share", why_not("worker/agent/worker.cc", "scheduler/core/core.h"))
        self.assertIn("does not share", why_not("trainer/serve/request.h", "proto/checkpoint.h"))
        self.assertEqual(cycle({"a": ["b"], "b": ["c"], "c": ["b"]}), ["b", "c", "b"])
        self.assertEqual(cycle({"a": ["b", "c"], "b": ["c"], "c": []}), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
