"""At each durable step of scheduler, registry, worker and trainer: the program dies before it, or right after it, or
the step fails, or it fails although it happened, or it takes its time.  Whatever it was, nothing is lost, nothing is
there twice, and the bytes are those of an undisturbed run.

MOZGACH_FAILPOINT=NAME tries that one alone, MOZGACH_SHARD=0/4 every fourth, MOZGACH_ACTIONS="crash_before crash_after"
those ways alone.
"""

import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from kill_everywhere import ELSEWHERE, PROGRAMS, Day, failpoints, look_at  # noqa: E402

ACTIONS = ("crash_before", "crash_after", "error@1", "error_after@1", "delay(300)")


class KillEverywhereTest(unittest.TestCase):
    def test_every_step_in_every_way(self):
        with Day() as day:
            day.run()
            self.assertEqual(day.problems, "")
            undisturbed = day.digests
        only = os.environ.get("MOZGACH_FAILPOINT")
        shard, shards = map(int, os.environ.get("MOZGACH_SHARD", "0/1").split("/"))
        points = [name for program in PROGRAMS for name in failpoints(program) if name not in ELSEWHERE]
        for point in [only] if only else points[shard::shards]:
            for action in os.environ.get("MOZGACH_ACTIONS", " ".join(ACTIONS)).split():
                print(f"{point}={action}", flush=True)
                with self.subTest(point=point, action=action), Day(point, action) as day:
                    day.run()
                    look_at(self, day, undisturbed)

    def test_what_is_tried_elsewhere_is_known_here(self):
        known = {name for program in PROGRAMS for name in failpoints(program)}
        self.assertEqual(set(ELSEWHERE) - known, set())


if __name__ == "__main__":
    unittest.main(verbosity=2)
