"""Kills programs at a few of the moments at which they can die. Each run draws other moments; tests/soak has the
whole list.

MOZGACH_SEED repeats a run.
"""

import os
import random
import time
import unittest

from kill_everywhere import ELSEWHERE, PROGRAMS, Day, failpoints, look_at

TRIED = {"scheduler": 2, "worker": 1, "trainer": 1}


class KillSampleTest(unittest.TestCase):
    def test_a_program_that_dies_at_a_durable_step_costs_nothing(self):
        seed = int(os.environ.get("MOZGACH_SEED", time.time_ns() % 100000))
        print(f"MOZGACH_SEED={seed}")
        dice = random.Random(seed)
        with Day() as day:
            day.run()
            self.assertEqual(day.problems, "")
            undisturbed = day.digests
        for program in PROGRAMS:
            points = [name for name in failpoints(program) if name not in ELSEWHERE]
            for point in dice.sample(points, TRIED[program]):
                action = dice.choice(["crash_before", "crash_after"])
                with self.subTest(point=point, action=action), Day(point, action) as day:
                    day.run()
                    look_at(self, day, undisturbed)


if __name__ == "__main__":
    unittest.main(verbosity=2)
