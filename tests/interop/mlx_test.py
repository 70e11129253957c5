"""A published adapter in mlx-lm: it loads there, acts, and gives the logits that it gives here.

Small random bases are trained for a few steps with mozgach-trainer; `mlx/` of what comes out is loaded
with mlx-lm, on a processor, over the same base.
"""

import json
import os
import sys
import unittest

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

try:
    import mlx.core as mx
    import numpy as np
    import torch
    from mlx_lm.tuner.utils import load_adapters
    from mlx_lm.utils import load_model

    from engine import small_base
    from trained import TrainedTest
    from training_parity_test import write_tokenizer
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

torch.set_num_threads(1)


def spell_as_on_the_hub(base):
    """mlx-lm reads `rope_theta`, which transformers now writes into `rope_parameters`."""
    file = base / "config.json"
    config = json.loads(file.read_text())
    config["rope_theta"] = config["rope_parameters"]["rope_theta"]
    file.write_text(json.dumps(config))


class MlxTest(TrainedTest):
    def mlx_logits(self, model, ids):
        return torch.from_numpy(np.array(model(mx.array([ids]))[0].astype(mx.float32)))

    def compare(self, family, lora, **changes):
        base = small_base(self.dir / "base", family, vocab_size=264, num_hidden_layers=4, **changes)
        spell_as_on_the_hub(base)
        write_tokenizer(base)
        output = self.train(base, lora)
        ids = [7, 200, 33, 150, 90, 12, 101, 258, 64]
        model, _ = load_model(base)
        bare = self.mlx_logits(model, ids)
        model = load_adapters(model, str(output / "mlx"))
        acting = self.mlx_logits(model, ids)
        self.assertGreater((acting - bare).abs().max().item(), 0.1 * bare.std().item(),
                           "the adapter does nothing")
        self.assert_logits_agree(self.our_logits(base, output, ids), acting)

    def test_all_linear_on_qwen2(self):
        self.compare("qwen2", {"r": 4, "lora_alpha": 8})

    def test_rank_stabilised_on_llama(self):
        self.compare("llama", {"r": 4, "lora_alpha": 6, "use_rslora": True},
                     tie_word_embeddings=False)

    def test_gaps_between_the_layers(self):
        self.compare("qwen2", {"r": 2, "lora_alpha": 8, "layers_to_transform": [1, 3],
                               "target_modules": ["q_proj", "v_proj", "down_proj"]})


if __name__ == "__main__":
    unittest.main()
