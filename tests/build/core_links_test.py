"""The decisions of scheduler and worker (scheduler/core, worker/session) link no library with threads, sockets or HTTP.

What each target links comes from build/targets.json, which CMake writes. mozgach_messages is
protobuf without gRPC.
"""

import json
import os
import pathlib
import re
import unittest

SOURCE = pathlib.Path(os.environ.get("MOZGACH_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
BUILD = pathlib.Path(os.environ.get("MOZGACH_BUILD_DIR", SOURCE / "build"))
PURE = ("mozgach_scheduler_core", "mozgach_worker_session")
REJECTED = re.compile(r"Threads::|gRPC::|grpc|microhttpd|prometheus|^mozgach_(proto|web|security|scheduler_executor)$")


def linked_by(name, targets):
    """All that a target links, directly or not; libraries from outside by the names that CMake gives them."""
    found, left = set(), [name]
    while left:
        for part in re.split(r"[;$<>]", targets.get(left.pop(), {"links": ""})["links"]):
            if part and part not in found:
                found.add(part)
                left.append(part)
    return found


def targets():
    return {target["name"]: target for target in json.loads((BUILD / "targets.json").read_text())}


class CoreLinksTest(unittest.TestCase):
    def test_decisions_link_nothing_that_acts(self):
        known = targets()
        if PURE[0] not in known:
            self.skipTest("this build has no scheduler")
        for name in PURE:
            with self.subTest(target=name):
                linked = linked_by(name, known)
                self.assertIn("mozgach_common", linked)
                self.assertEqual([part for part in sorted(linked) if REJECTED.search(part)], [])

    def test_a_forbidden_library_is_found(self):
        known = {"a": {"links": "b;c"}, "b": {"links": "Threads::Threads"}, "c": {"links": "mozgach_proto"}}
        self.assertEqual([part for part in sorted(linked_by("a", known)) if REJECTED.search(part)],
                         ["Threads::Threads", "mozgach_proto"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
