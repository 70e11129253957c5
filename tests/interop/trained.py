"""Adapters that mozgach-trainer trained, for tests that load them with other libraries."""

import json
import subprocess

from safetensors.torch import load_file

from engine import BUILD, EngineTest
from training_parity_test import rows

TRAINER = BUILD / "bin" / "mozgach-trainer"


class TrainedTest(EngineTest):
    def train(self, base, lora):
        """The output directory of a domain whose matrices have all moved away from where they began."""
        (self.dir / "train.jsonl").write_text(
            "".join(json.dumps({"instruction": p, "output": a}) + "\n" for p, a in rows()))
        (self.dir / "domain.yaml").write_text(json.dumps({
            "domain": "a-small-skill", "base": "mozgach/small",
            "data": {"train": "train.jsonl", "validation": "train.jsonl", "chat_template": "none",
                     "max_length": 64},
            "quantization": {"load_in_4bit": False, "bnb_4bit_compute_dtype": "float32"},
            "lora": lora, "training": {"max_steps": 6, "learning_rate": 0.05}}))
        output = self.dir / "output"
        done = subprocess.run(
            [TRAINER, "train", "--domain", self.dir / "domain.yaml", "--base", base, "--overwrite", "--output",
             output, "--threads", "1"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return output

    def our_logits(self, base, adapter, ids):
        file = self.dir / "logits.safetensors"
        done = subprocess.run(
            [TRAINER, "score", "--base", base, "--adapter", adapter, "--dtype", "float32",
             "--quantization", "none", "--tokens", ",".join(map(str, ids)), "--logits", file],
            capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return load_file(file)["logits"]
