"""Qwen3, Gemma 3, Mistral, Llama 3 and every kind of rope give the numbers of transformers and PEFT."""

import json
import unittest

import torch

try:
    import bitsandbytes  # noqa: F401
    import peft  # noqa: F401
    import transformers
except ImportError:
    raise SystemExit(77)

from safetensors.torch import load_file, save_file

from engine import (
    SMALL,
    EngineTest,
    adapted,
    random_documents,
    randomise,
    reference_gradients,
    reference_logits,
    reference_model,
    small_base,
)

GEMMA = {"head_dim": 16, "num_hidden_layers": 7, "sliding_window": 16, "query_pre_attn_scalar": 16}
LLAMA3 = {"rope_type": "llama3", "rope_theta": 5e3, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 64}
YARN = {"rope_type": "yarn", "rope_theta": 1e4, "factor": 4.0, "original_max_position_embeddings": 64}

# What sets a family, or a size of it, apart.
SHAPES = {
    "qwen3: heads wider than hidden": ("qwen3", {"head_dim": 32}),
    "qwen3: biases, untied": ("qwen3", {"head_dim": 16, "attention_bias": True, "tie_word_embeddings": False}),
    "qwen3: eight queries per key, heads of 128": (
        "qwen3", {"head_dim": 128, "num_attention_heads": 8, "num_key_value_heads": 1}),
    "qwen2: a window in the upper layers": (
        "qwen2", {"use_sliding_window": True, "sliding_window": 20, "max_window_layers": 1}),
    "mistral: a window in every layer": ("mistral", {"sliding_window": 24, "tie_word_embeddings": False}),
    "mistral: no window, its own head size": ("mistral", {"sliding_window": None, "head_dim": 24}),
    "llama 3: its rope": ("llama", {"rope_parameters": LLAMA3}),
    "llama: linear": ("llama", {"rope_parameters": {"rope_type": "linear", "rope_theta": 1e4, "factor": 4.0}}),
    "qwen3: yarn": ("qwen3", {"head_dim": 16, "rope_parameters": YARN}),
    "qwen2: yarn that sets its magnitude": (
        "qwen2", {"rope_parameters": {**YARN, "attention_factor": 1.3, "beta_fast": 16, "beta_slow": 2}}),
    "gemma 3: local and global layers": ("gemma3_text", GEMMA),
    "gemma 3: the 27B's odd scale, linear 8 on global layers": (
        "gemma3_text",
        {**GEMMA, "query_pre_attn_scalar": 21, "num_attention_heads": 8, "num_key_value_heads": 4, "rope_parameters": {
            "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6},
            "sliding_attention": {"rope_type": "default", "rope_theta": 1e4}}}),
    "gemma 3: untied, heads of 256, one key head": (
        "gemma3_text",
        {**GEMMA, "head_dim": 256, "num_key_value_heads": 1, "tie_word_embeddings": False, "num_hidden_layers": 6}),
}
LENGTHS = [37, 5, 120, 37, 2, 30, 71]
OLD_GEMMA = {"rope_theta": 1e6, "rope_local_base_freq": 1e4, "rope_scaling": {"rope_type": "linear", "factor": 8.0},
             "sliding_window_pattern": 6}


class FamilyTest(EngineTest):
    def ours(self, base, documents, **request):
        return self.probe_tensors(do="logits", base=base, documents=documents, **request)["logits"]

    def check_logits(self, base, lengths=LENGTHS, limit=1e-4, **request):
        model = reference_model(base)
        documents = random_documents(150, lengths)
        with torch.no_grad():
            self.assert_logits_agree(self.ours(base, documents, **request), reference_logits(model, documents), limit)


class LogitsTest(FamilyTest):
    def test_logits_of_every_shape(self):
        for name, (family, changes) in SHAPES.items():
            with self.subTest(name):
                self.check_logits(small_base(self.dir / name, family, **changes))

    def test_in_four_bits(self):
        for name in ("qwen3: heads wider than hidden", "gemma 3: local and global layers"):
            family, changes = SHAPES[name]
            with self.subTest(name):
                base = small_base(self.dir / name, family, dtype=torch.bfloat16, **changes)
                model = reference_model(base, quantize=True)
                documents = random_documents(150, [50, 9])
                ours = self.ours(base, documents, quantize=True)
                self.assert_logits_agree(ours, reference_logits(model, documents).detach(), limit=1e-3)

    def test_bfloat16_is_as_close_to_float32_as_the_reference_in_bfloat16(self):
        for name in ("qwen3: heads wider than hidden", "gemma 3: local and global layers", "mistral: a window in every layer"):
            family, changes = SHAPES[name]
            with self.subTest(name), torch.no_grad():
                base = small_base(self.dir / name, family, dtype=torch.bfloat16, **changes)
                documents = random_documents(150, [60, 21, 90])
                exact = reference_logits(reference_model(base), documents)
                rounded = reference_logits(reference_model(base, dtype=torch.bfloat16), documents)
                ours = self.ours(base, documents, dtype="bfloat16")
                self.assertLessEqual((ours - exact).norm().item(), 1.2 * (rounded - exact).norm().item())

    def test_dynamic_scaling_beyond_the_original_length(self):
        base = small_base(self.dir / "base", "llama", max_position_embeddings=48, rope_parameters={
            "rope_type": "dynamic", "rope_theta": 1e4, "factor": 4.0})
        for length in (30, 48, 49, 130):
            self.check_logits(base, [length])

    def test_a_domain_files_scaling_goes_on_top_of_the_bases(self):
        linear = {"rope_type": "linear", "rope_theta": 1e6}
        local = {"rope_type": "default", "rope_theta": 1e4}
        eight = small_base(self.dir / "eight", "gemma3_text", **GEMMA, rope_parameters={
            "full_attention": {**linear, "factor": 8.0}, "sliding_attention": local})
        both = self.dir / "both"
        reference_model(eight).save_pretrained(both)
        config = json.loads((both / "config.json").read_text())
        config["rope_parameters"]["full_attention"]["factor"] = 32.0
        (both / "config.json").write_text(json.dumps(config))
        documents = random_documents(150, LENGTHS)
        with torch.no_grad():
            expected = reference_logits(reference_model(both), documents)
            bare = reference_logits(reference_model(eight), documents)
        ours = self.ours(eight, documents, rope_scaling={"rope_type": "linear", "factor": 4.0})
        self.assert_logits_agree(ours, expected)
        self.assertGreater((bare - expected).abs().max().item(), 0.01)

    def test_a_domain_files_scaling_is_that_of_a_config_that_says_the_same(self):
        plain = small_base(self.dir / "plain", "qwen3", head_dim=16, max_position_embeddings=64)
        for scaling in (YARN, LLAMA3, {"rope_type": "linear", "factor": 3.0}, {"rope_type": "dynamic", "factor": 4.0}):
            with self.subTest(scaling["rope_type"]):
                scaling = {**scaling, "rope_theta": 1e4}
                stretched = self.dir / scaling["rope_type"]
                reference_model(plain).save_pretrained(stretched)
                config = json.loads((stretched / "config.json").read_text())
                config["rope_parameters"] = scaling
                (stretched / "config.json").write_text(json.dumps(config))
                documents = random_documents(150, [130])
                with torch.no_grad():
                    expected = reference_logits(reference_model(stretched), documents)
                self.assert_logits_agree(self.ours(plain, documents, rope_scaling=scaling), expected)


class SpellingTest(FamilyTest):
    """The same base in the spellings that lie on the hub."""

    def respell(self, base, change):
        path = base / "config.json"
        config = json.loads(path.read_text())
        change(config)
        path.write_text(json.dumps(config))

    def test_gemma_as_it_was_published(self):
        base = small_base(self.dir / "base", **{"family": "gemma3_text"}, **GEMMA, rope_parameters={
            "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6},
            "sliding_attention": {"rope_type": "default", "rope_theta": 1e4}})
        documents = random_documents(150, LENGTHS)
        with torch.no_grad():
            expected = reference_logits(reference_model(base), documents)

        def change(config):
            del config["rope_parameters"], config["layer_types"]
            config["torch_dtype"] = config.pop("dtype")
            config.update(OLD_GEMMA)

        self.respell(base, change)
        self.assert_logits_agree(self.ours(base, documents), expected)

    def test_llama_as_it_was_published(self):
        base = small_base(self.dir / "base", "llama", rope_parameters=LLAMA3)
        documents = random_documents(150, LENGTHS)
        with torch.no_grad():
            expected = reference_logits(reference_model(base), documents)

        def change(config):
            scaling = config.pop("rope_parameters")
            config["rope_theta"] = scaling.pop("rope_theta")
            config["rope_scaling"] = scaling
            config["torch_dtype"] = config.pop("dtype")

        self.respell(base, change)
        self.assert_logits_agree(self.ours(base, documents), expected)


class StoredTablesTest(FamilyTest):
    """Embedding and head as transformers 5 reads them."""

    def change_weights(self, base, change):
        tensors = load_file(base / "model.safetensors")
        change(tensors)
        save_file(tensors, base / "model.safetensors", metadata={"format": "pt"})

    def test_a_head_that_differs_from_a_tied_embedding(self):
        for name, family, changes in (("qwen2", "qwen2", {}), ("gemma", "gemma3_text", GEMMA)):
            with self.subTest(name):
                base = small_base(self.dir / name, family, **changes)
                self.change_weights(base, lambda tensors: tensors.update(
                    {"lm_head.weight": tensors["model.embed_tokens.weight"] * 0.5 + 0.01}))
                self.check_logits(base)

    def test_a_head_without_an_embedding(self):
        base = small_base(self.dir / "base", "qwen3", head_dim=16)
        self.change_weights(base, lambda tensors: tensors.update(
            {"lm_head.weight": tensors.pop("model.embed_tokens.weight")}))
        self.check_logits(base)

    def test_names_of_a_bare_model(self):
        for name, changes in (("tied", {}), ("untied", {"tie_word_embeddings": False})):
            with self.subTest(name):
                base = small_base(self.dir / name, "llama", **changes)

                def strip(tensors):
                    for key in list(tensors):
                        new = key.removeprefix("model.") if key.startswith("model.") else "model." + key
                        tensors[new] = tensors.pop(key)

                self.change_weights(base, strip)
                self.check_logits(base)

    def test_an_index_that_names_a_tied_head(self):
        base = small_base(self.dir / "base", "qwen2")
        names = list(load_file(base / "model.safetensors"))
        (base / "model.safetensors").rename(base / "model-00001-of-00001.safetensors")
        (base / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": {
            name: "model-00001-of-00001.safetensors" for name in names + ["lm_head.weight"]}}))
        self.check_logits(base)

    def test_zero_magnitudes_of_yarn(self):
        for name, scaling in (("one", {"mscale": 1.0, "mscale_all_dim": 0}), ("both", {"mscale": 0, "mscale_all_dim": 1.0}),
                              ("ramp", {"beta_fast": 0, "beta_slow": 0})):
            with self.subTest(name):
                self.check_logits(small_base(self.dir / name, "qwen2", rope_parameters={**YARN, **scaling}))


def seeing_gemma(directory, **changes):
    """Gemma 3 with a small vision tower, as the 4B to 27B are."""
    text = dict(SMALL, **GEMMA, rope_parameters={
        "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6},
        "sliding_attention": {"rope_type": "default", "rope_theta": 1e4}}) | changes
    vision = dict(hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2, image_size=28,
                  patch_size=14, vision_use_head=False)
    config = transformers.Gemma3Config(text_config=text, vision_config=vision, mm_tokens_per_image=4,
                                       image_token_index=150, boi_token_index=149, eoi_token_index=148)
    model = transformers.Gemma3ForConditionalGeneration(config).eval()
    randomise(model.model.language_model, "gemma3_text")
    model.save_pretrained(directory)
    return model


class SeeingGemmaTest(FamilyTest):
    def rename(self, source, target, old, new):
        target.mkdir()
        tensors = {name.replace(old, new, 1) if name.startswith(old) else name: tensor
                   for name, tensor in load_file(source / "model.safetensors").items()}
        save_file(tensors, target / "model.safetensors")
        (target / "config.json").write_text((source / "config.json").read_text())
        return tensors

    def test_every_order_of_its_prefixes(self):
        model = seeing_gemma(self.dir / "base")
        documents = random_documents(140, LENGTHS)
        with torch.no_grad():
            expected = reference_logits(model, documents)
        names = load_file(self.dir / "base/model.safetensors")
        stored = "language_model.model." if "language_model.model.norm.weight" in names else "model.language_model."
        for number, other in enumerate(("language_model.", "model.language_model.model.")):
            with self.subTest(other):
                target = self.dir / str(number)
                self.rename(self.dir / "base", target, stored, other)
                with torch.no_grad():
                    self.assert_logits_agree(reference_logits(reference_model(target), documents), expected)
                self.assert_logits_agree(self.ours(target, documents), expected)

    def test_only_the_outer_tie_counts(self):
        seeing_gemma(self.dir / "base")
        documents = random_documents(140, LENGTHS)
        path = self.dir / "base/config.json"
        config = json.loads(path.read_text())
        config["text_config"]["tie_word_embeddings"] = False
        for outer in (True, "absent"):
            with self.subTest(outer):
                config.pop("tie_word_embeddings", None)
                if outer != "absent":
                    config["tie_word_embeddings"] = outer
                path.write_text(json.dumps(config))
                with torch.no_grad():
                    expected = reference_logits(reference_model(self.dir / "base"), documents)
                self.assert_logits_agree(self.ours(self.dir / "base", documents), expected)

    def test_its_text_part_under_both_prefixes(self):
        model = seeing_gemma(self.dir / "base")
        documents = random_documents(140, LENGTHS)
        with torch.no_grad():
            expected = reference_logits(model, documents)
        self.assert_logits_agree(self.ours(self.dir / "base", documents), expected)
        names = load_file(self.dir / "base/model.safetensors")
        stored = "language_model.model." if "language_model.model.norm.weight" in names else "model.language_model."
        other = "model.language_model." if stored == "language_model.model." else "language_model.model."
        renamed = self.rename(self.dir / "base", self.dir / "other", stored, other)
        self.assertIn(other + "norm.weight", renamed)
        self.assert_logits_agree(self.ours(self.dir / "other", documents), expected)

    def test_an_adapter_of_it_has_the_names_that_peft_gives(self):
        model = seeing_gemma(self.dir / "base")
        modules = r".*language_model.*\.(q|k|v|o|gate|up|down)_proj"
        model = adapted(model, self.dir / "adapter", target_modules=modules)
        documents = random_documents(140, LENGTHS)
        request = dict(base=self.dir / "base", adapter=self.dir / "adapter", documents=documents)
        ours = self.probe_tensors(do="gradients", **request)
        loss, gradients = reference_gradients(model, documents)
        self.assertAlmostEqual(ours.pop("loss").item() / loss.item(), 1, delta=1e-5)
        self.assertEqual(set(ours), set(load_file(self.dir / "adapter/adapter_model.safetensors")))
        self.assert_gradients_agree(ours, gradients)


class AdapterTest(FamilyTest):
    def check(self, base, documents, **settings):
        adapter = self.dir / f"{base.name} adapter"
        model = adapted(reference_model(base), adapter, **settings)
        loss, gradients = reference_gradients(model, documents)
        for checkpoint in (False, True):
            ours = self.probe_tensors(do="gradients", base=base, adapter=adapter, documents=documents, checkpoint=checkpoint)
            self.assertAlmostEqual(ours.pop("loss").item() / loss.item(), 1, delta=1e-5)
            self.assert_gradients_agree(ours, gradients)

    def test_gradients_of_every_shape(self):
        for name, (family, changes) in SHAPES.items():
            with self.subTest(name):
                self.check(small_base(self.dir / name, family, **changes), random_documents(150, LENGTHS))


class GenerationTest(FamilyTest):
    def test_two_hundred_greedy_tokens_are_the_same(self):
        for name in ("qwen3: heads wider than hidden", "gemma 3: local and global layers", "mistral: a window in every layer",
                     "llama 3: its rope"):
            family, changes = SHAPES[name]
            with self.subTest(name):
                base = small_base(self.dir / name, family, **changes)
                model = reference_model(base)
                prompts = random_documents(150, [4, 33])
                expected = []
                for prompt in prompts:
                    with torch.no_grad():
                        said = model.generate(input_ids=torch.tensor([prompt]), max_new_tokens=200, do_sample=False,
                                              eos_token_id=None, pad_token_id=0)
                    expected.append(said[0, len(prompt):].tolist())
                said = self.probe(do="generate", base=base, prompts=prompts, max_new_tokens=200)
                self.assertEqual(json.loads(said), expected)


if __name__ == "__main__":
    unittest.main()
