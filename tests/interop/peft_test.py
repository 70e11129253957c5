"""A published adapter in PEFT: PeftModel.from_pretrained takes it as it is, it acts, and its logits are ours.

Of Gemma 3 that sees, the modules of the vision tower have the names of the text part's: nothing may come
to lie there.
"""

import os
import sys
import unittest

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

try:
    import peft
    import torch
    import transformers

    from engine import reference_model, small_base
    from family_parity_test import GEMMA, seeing_gemma
    from trained import TrainedTest
    from training_parity_test import write_tokenizer
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

IDS = [7, 100, 33, 120, 90, 12, 101, 58, 64]


def logits(model):
    with torch.no_grad():
        return model(input_ids=torch.tensor([IDS])).logits[0].float()


class PeftTest(TrainedTest):
    def check(self, base, model, lora):
        write_tokenizer(base)
        output = self.train(base, lora)
        bare = logits(model)
        model = peft.PeftModel.from_pretrained(model, output).eval()
        acting = logits(model)
        self.assertGreater((acting - bare).abs().max().item(), 0.1 * bare.std().item(), "the adapter does nothing")
        self.assert_logits_agree(self.our_logits(base, output, IDS), acting)
        return [name for name, parameter in model.named_parameters() if "lora_B" in name and not parameter.any()]

    def test_every_family(self):
        for family, changes in (("qwen2", {}), ("qwen3", {"head_dim": 32}), ("llama", {"tie_word_embeddings": False}),
                                ("mistral", {}), ("gemma3_text", GEMMA)):
            with self.subTest(family):
                base = small_base(self.dir / family, family, vocab_size=264, **changes)
                untrained = self.check(base, reference_model(base), {"r": 4, "lora_alpha": 8})
                self.assertEqual(untrained, [])

    def test_gemma_that_sees(self):
        base = self.dir / "base"
        seeing_gemma(base, vocab_size=264)
        model = transformers.AutoModelForImageTextToText.from_pretrained(base, attn_implementation="eager").eval()
        untrained = self.check(base, model, {"r": 4, "lora_alpha": 8, "use_rslora": True})
        self.assertEqual(untrained, [])

    def test_some_layers_and_modules(self):
        base = small_base(self.dir / "base", "qwen2", vocab_size=264)
        untrained = self.check(base, reference_model(base), {
            "r": 2, "lora_alpha": 8, "layers_to_transform": [0, 2], "target_modules": ["q_proj", "v_proj", "down_proj"]})
        self.assertEqual(untrained, [])


if __name__ == "__main__":
    unittest.main()
