"""mozgach-trainer quantize dies at each of its durable steps: there is no checkpoint or a whole one, and the next run
makes the same bytes."""

import hashlib
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from fleet import BIN, DOMAINS  # noqa: E402
from kill_everywhere import failpoints  # noqa: E402

TINY = DOMAINS / "bases/mozgach/tiny"
LOCK = "quantize.lock"  # may be left in what is whole


class QuantizeKillTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def quantize(self, name, **environment):
        """In a few shards; returns the exit code."""
        return subprocess.run([BIN / "mozgach-trainer", "quantize", "--base", TINY, "--output", self.folder / name,
                               "--shard-bytes", "100000"], env={**os.environ, **environment},
                              capture_output=True).returncode

    def bytes_of(self, name):
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()
                for path in (self.folder / name).iterdir() if path.name != LOCK}

    def test_it_is_whole_or_not_there(self):
        self.assertEqual(self.quantize("undisturbed"), 0)
        whole = self.bytes_of("undisturbed")
        self.assertGreater(len([name for name in whole if name.endswith(".safetensors")]), 1, "shards")
        points = [name for name in failpoints("trainer") if name.startswith("trainer.quantized_base.")]
        self.assertGreater(len(points), 5)
        for point in points:
            for action in ("crash_before", "crash_after"):
                with self.subTest(point=point, action=action):
                    name = f"{point}-{action}"
                    code = self.quantize(name, MOZGACH_FAILPOINTS=f"{point}={action}")
                    self.assertEqual(code, -signal.SIGKILL)
                    if not (self.folder / name).exists():
                        self.assertEqual(self.quantize(name), 0)
                    self.assertEqual(self.bytes_of(name), whole)


if __name__ == "__main__":
    unittest.main(verbosity=2)
