"""Logits, gradients and generated tokens of Qwen2 and Llama are those of transformers and PEFT."""

import json
import unittest

import torch

try:
    import bitsandbytes  # noqa: F401
    import peft  # noqa: F401
    import transformers  # noqa: F401
except ImportError:
    raise SystemExit(77)

from engine import (
    EngineTest,
    adapted,
    random_documents,
    reference_gradients,
    reference_logits,
    reference_model,
    small_base,
)

# What makes a base different from the next: biases, tying, grouped heads, head sizes, odd widths.
SHAPES = {
    "qwen2 tied": ("qwen2", {}),
    "qwen2 untied": ("qwen2", {"tie_word_embeddings": False, "rms_norm_eps": 1e-5, "rope_theta": 1e6}),
    "qwen2 odd widths": (
        "qwen2",
        {"hidden_size": 60, "intermediate_size": 101, "num_attention_heads": 6, "num_key_value_heads": 3, "vocab_size": 97},
    ),
    "llama one key head": ("llama", {"num_key_value_heads": 1}),
    "llama ungrouped, untied": ("llama", {"num_key_value_heads": 4, "tie_word_embeddings": False}),
    "llama with biases": ("llama", {"attention_bias": True, "mlp_bias": True}),
    "llama with its own head size": ("llama", {"head_dim": 24}),
}
# Alone, alike and far apart: several blocks, with and without padding.
LENGTHS = [37, 5, 120, 37, 2, 30, 71]


class BaseParityTest(EngineTest):
    def test_logits_of_every_shape(self):
        for name, (family, changes) in SHAPES.items():
            with self.subTest(name):
                base = small_base(self.dir / name, family, **changes)
                model = reference_model(base)
                documents = random_documents(model.config.vocab_size, LENGTHS)
                ours = self.probe_tensors(do="logits", base=base, documents=documents)["logits"]
                with torch.no_grad():
                    self.assert_logits_agree(ours, reference_logits(model, documents))

    def test_logits_of_bases_stored_in_half_precision_and_in_shards(self):
        for dtype in (torch.bfloat16, torch.float16):
            with self.subTest(dtype):
                base = small_base(self.dir / str(dtype), "qwen2", dtype=dtype)
                model = reference_model(base)
                model.save_pretrained(self.dir / f"{dtype} sharded", max_shard_size="100KB")
                documents = random_documents(151, [50, 9])
                for directory in (base, self.dir / f"{dtype} sharded"):
                    ours = self.probe_tensors(do="logits", base=directory, documents=documents)["logits"]
                    with torch.no_grad():
                        self.assert_logits_agree(ours, reference_logits(model, documents))

    def test_logits_of_a_base_in_four_bits(self):
        base = small_base(self.dir / "base", "qwen2", dtype=torch.bfloat16)
        model = reference_model(base, quantize=True)
        documents = random_documents(151, [50, 9])
        ours = self.probe_tensors(do="logits", base=base, quantize=True, documents=documents)["logits"]
        self.assert_logits_agree(ours, reference_logits(model, documents).detach())

    def test_bfloat16_is_as_close_to_float32_as_the_reference_in_bfloat16(self):
        base = small_base(self.dir / "base", "llama", dtype=torch.bfloat16)
        documents = random_documents(151, [60, 21])
        with torch.no_grad():
            exact = reference_logits(reference_model(base), documents)
            rounded = reference_logits(reference_model(base, dtype=torch.bfloat16), documents)
        ours = self.probe_tensors(do="logits", base=base, dtype="bfloat16", documents=documents)["logits"]
        self.assertLess((ours - exact).norm(), 1.3 * (rounded - exact).norm())


class AdapterParityTest(EngineTest):
    def check(self, base, documents, quantize=False, **settings):
        adapter = self.dir / "adapter"
        model = adapted(reference_model(base, quantize=quantize), adapter, **settings)
        loss, gradients = reference_gradients(model, documents)
        request = dict(base=base, adapter=adapter, quantize=quantize, documents=documents)
        logits = self.probe_tensors(do="logits", **request)["logits"]
        self.assert_logits_agree(logits, reference_logits(model, documents).detach())
        for checkpoint in (False, True):
            ours = self.probe_tensors(do="gradients", checkpoint=checkpoint, **request)
            self.assertAlmostEqual(ours.pop("loss").item() / loss.item(), 1, delta=1e-5)
            self.assert_gradients_agree(ours, gradients)

    def test_gradients_of_every_shape(self):
        for name, (family, changes) in SHAPES.items():
            with self.subTest(name):
                base = small_base(self.dir / name, family, **changes)
                self.check(base, random_documents(97, LENGTHS))

    def test_gradients_on_a_base_in_four_bits(self):
        for name in ("qwen2 tied", "llama ungrouped, untied"):
            family, changes = SHAPES[name]
            with self.subTest(name):
                base = small_base(self.dir / name, family, dtype=torch.bfloat16, **changes)
                self.check(base, random_documents(151, LENGTHS), quantize=True)

    def test_gradients_of_few_tokens_and_of_many(self):
        # Few tokens multiply by A and B, many by the merged weight.
        for lengths in ([6], [250, 250]):
            with self.subTest(lengths):
                base = small_base(self.dir / str(lengths), "qwen2")
                self.check(base, random_documents(151, lengths))

    def test_some_modules_some_layers_and_rank_stabilised(self):
        base = small_base(self.dir / "base", "qwen2")
        self.check(
            base,
            random_documents(151, LENGTHS),
            target_modules=["q_proj", "v_proj", "down_proj"],
            layers_to_transform=[1, 2],
            use_rslora=True,
        )


class GenerationParityTest(EngineTest):
    def test_a_batch_says_what_each_prompt_says_alone(self):
        base = small_base(self.dir / "base", "qwen2")
        adapter = self.dir / "adapter"
        model = adapted(reference_model(base), adapter)
        prompts = random_documents(151, [4, 19, 1, 60, 19])
        expected = []
        for prompt in prompts:
            with torch.no_grad():
                said = model.generate(
                    input_ids=torch.tensor([prompt]), max_new_tokens=20, do_sample=False, eos_token_id=[7], pad_token_id=0
                )
            tokens = said[0, len(prompt):].tolist()
            expected.append(tokens[: tokens.index(7)] if 7 in tokens else tokens)
        said = self.probe(do="generate", base=base, adapter=adapter, prompts=prompts, max_new_tokens=20, stop_ids=[7])
        self.assertEqual(json.loads(said), expected)


if __name__ == "__main__":
    unittest.main()
