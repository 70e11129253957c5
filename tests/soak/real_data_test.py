"""108 real datasets on a small trained base, through one scheduler and two workers."""

import json
import pathlib
import shutil
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from fleet import SHARED, Fleet  # noqa: E402

DATA = SHARED / "data/domains108"
BASE = SHARED / "data/stories260K/hf_qwen2_layout"
DOMAIN = """domain: {name}
base: karpathy/stories260K
data: {{train: {data}, validation: 0.1, max_length: 512}}
lora: {{r: 8}}
training: {{num_train_epochs: 1, per_device_train_batch_size: 2, learning_rate: 2.0e-3, warmup_ratio: 0.1}}
"""


class RealDataTest(unittest.TestCase):
    def setUp(self):
        if not DATA.exists() or not BASE.exists():
            print(f"skipped: {DATA} and {BASE} are not here")
            sys.exit(77)

    def test_every_validation_loss_ends_below_the_bases(self):
        with Fleet(workers=0) as fleet:
            shutil.copytree(BASE, fleet.root / "bases/karpathy/stories260K")
            fleet.bases = (fleet.root / "bases",)
            files = []
            for data in sorted(DATA.glob("*.jsonl")):
                files.append(fleet.root / f"{data.stem}.yaml")
                files[-1].write_text(DOMAIN.format(name=data.stem, data=data))
            self.assertEqual(len(files), 108)
            fleet.worker_words = ["--threads", "1"]
            fleet.start_worker("worker1")
            fleet.start_worker("worker2")
            started = time.monotonic()
            fleet.ctl("submit", "--wait", *files, timeout=7000)
            losses = {v["domain"]: (v["metrics"]["base"]["eval_loss"], v["metrics"]["adapter"]["eval_loss"])
                      for v in fleet.versions()}
            loads = [w["base_loads"] for w in fleet.ask("workers")]
            print(json.dumps({"seconds": round(time.monotonic() - started), "versions": len(losses),
                              "base_loads": loads,
                              "least_gain": min(base - adapter for base, adapter in losses.values())}))
            self.assertEqual(len(losses), 108)
            self.assertEqual(loads, [1, 1])
            self.assertEqual([name for name, (base, adapter) in losses.items() if adapter >= base], [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
