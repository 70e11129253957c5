"""A base with trained weights, stories260K: text and NLL are the golden ones, computed in float64."""

import json
import unittest

import torch

from engine import SOURCE, EngineTest

BASE = SOURCE.parent / "shared" / "data" / "stories260K" / "hf_qwen2_layout"
if not BASE.exists():
    print(f"skipped: {BASE} is not here")
    raise SystemExit(77)


class StoriesTest(EngineTest):
    golden = json.loads((BASE / "golden.json").read_text())

    def test_greedy_text_is_the_golden_text(self):
        golden = self.golden["greedy_ids"]
        said = self.probe(do="generate", base=BASE, prompts=[[1]], max_new_tokens=len(golden))
        self.assertEqual(json.loads(said)[0], golden)

    def test_nll_is_the_golden_nll(self):
        ids = [self.golden["bos"]] + self.golden["greedy_ids"]
        logits = self.probe_tensors(do="logits", base=BASE, documents=[ids])["logits"]
        nll = torch.nn.functional.cross_entropy(logits[:-1], torch.tensor(ids[1:]), reduction="none")
        expected = torch.tensor(self.golden["nll_per_token"])
        self.assertLess((nll - expected).abs().max().item(), 1e-4)


if __name__ == "__main__":
    unittest.main()
