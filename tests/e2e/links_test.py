"""What each program links: libtorch in the trainer and nowhere else, gRPC and protobuf not there."""

import re
import subprocess
import unittest

from fleet import BIN


def libraries(program):
    """Everything the loader would map, by name."""
    out = subprocess.run(["ldd", str(BIN / program)], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"^\s*(\S+?)\.so", out, re.MULTILINE))


class LinksTest(unittest.TestCase):
    def test_the_trainer_has_torch_and_neither_grpc_nor_protobuf(self):
        names = libraries("mozgach-trainer")
        self.assertIn("libtorch_cpu", names)
        self.assertFalse([n for n in names if re.search("grpc|protobuf|sqlite|prometheus", n)])

    def test_the_other_three_have_no_torch(self):
        for program in ("mozgach-scheduler", "mozgach-worker", "mozgachctl"):
            names = libraries(program)
            self.assertTrue([n for n in names if "grpc" in n], program)
            self.assertFalse([n for n in names if re.search("torch|libc10", n)], program)

    def test_the_database_is_the_schedulers_alone(self):
        for program in ("mozgach-worker", "mozgachctl"):
            self.assertNotIn("libsqlite3", libraries(program), program)


if __name__ == "__main__":
    unittest.main(verbosity=2)
