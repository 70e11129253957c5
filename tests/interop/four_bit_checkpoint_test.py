"""bitsandbytes' 4-bit checkpoints: every form is read to the same bits, and `quantize` writes what transformers loads."""

import json
import subprocess
import unittest

import torch
from safetensors.torch import load_file, save_file

try:
    import bitsandbytes
    import bitsandbytes.functional as F
    import transformers
except ImportError:
    raise SystemExit(77)

transformers.utils.logging.disable_progress_bar()

from engine import BUILD, EngineTest, random_documents, reference_logits, small_base

BLOCKS = (32, 64, 128, 256, 512, 1024, 2048, 4096)
TYPES = ("nf4", "fp4")
# Rows shorter and longer than blocks, ends within a block, an odd number of elements.
SHAPES = ((96, 40), (16, 4096), (7, 50), (13, 37))
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def reference(codes, state, dtype):
    """What bitsandbytes makes of it.

    Its AVX-512 kernel takes the wrong scales where a row is not a whole number of blocks; rows of two elements (and odd
    ones) go through its plain loops.
    """
    absmax = state.absmax
    if state.nested:
        absmax = F.dequantize_blockwise(state.absmax, state.state2) + state.offset
    elements = state.shape.numel()
    shape = list(state.shape) if elements % 2 else [elements // 2, 2]
    values = torch.ops.bitsandbytes.dequantize_4bit.default(
        codes, absmax, state.blocksize, state.quant_type, shape, dtype)
    return values.reshape(state.shape)


def same_bits(a, b):
    # FP4 has two zeros: bitsandbytes' table and its loops differ in the sign of one.
    return torch.equal(a + 0.0, b + 0.0) and a.dtype == b.dtype


class DequantizedTest(EngineTest):
    def check(self, weights, change=lambda tensors: tensors, **settings):
        tensors, expected, shapes = {}, {}, {}
        for name, weight in weights.items():
            codes, state = F.quantize_4bit(weight, **settings)
            tensors[name] = codes
            for part, tensor in state.as_dict(packed=True).items():
                tensors[f"{name}.{part}"] = tensor
            shapes[name] = list(weight.shape)
            for dtype in DTYPES:
                expected[f"{name}.{dtype}"] = reference(codes, state, DTYPES[dtype])
        tensors = change({name: tensor.contiguous().clone() for name, tensor in tensors.items()})
        save_file(tensors, self.dir / "in.safetensors")
        ours = self.probe_tensors(do="four_bit", tensors=self.dir / "in.safetensors", shapes=shapes)
        for name, values in expected.items():
            for suffix in ("", ".by_tensors"):
                with self.subTest(tensor=name + suffix, **settings):
                    self.assertTrue(same_bits(ours[name + suffix], values))

    def weights(self, dtype=torch.bfloat16):
        return {f"w{i}": (torch.randn(shape) * 0.05).to(dtype) for i, shape in enumerate(SHAPES)}

    def test_every_type_and_block_size(self):
        for quant_type in TYPES:
            for blocksize in BLOCKS:
                for double in (False, True):
                    self.check(self.weights(), quant_type=quant_type, blocksize=blocksize, compress_statistics=double)

    def test_every_type_of_stored_bytes(self):
        for storage in (torch.bfloat16, torch.float16, torch.float32, torch.int8):
            self.check({"w": torch.randn(64, 96).bfloat16()}, quant_type="nf4", compress_statistics=True,
                       quant_storage=storage)

    def test_every_type_it_was_made_of(self):
        for dtype in DTYPES.values():
            self.check(self.weights(dtype), quant_type="nf4", compress_statistics=True)

    def test_weights_of_several_nested_blocks(self):
        self.check({"w": torch.randn(320, 512).bfloat16()}, quant_type="nf4", compress_statistics=True)

    def test_scales_in_another_type(self):
        def halved(tensors):
            tensors["w.absmax"] = tensors["w.absmax"].half()
            return tensors

        # Whole numbers of quarters: the same in both types.
        weight = (torch.randint(-4, 5, (64, 96)) / 4).bfloat16()
        self.check({"w": weight}, change=halved, quant_type="nf4")


def exact(model):
    """Computes in float32: the rest of a 4-bit checkpoint comes in the type it is stored in, whatever is asked for.

    In training mode a layer dequantises and multiplies; its fused CPU kernel computes in bfloat16.
    """
    for parameter in model.parameters():
        if not isinstance(parameter, bitsandbytes.nn.Params4bit):
            parameter.data = parameter.data.float()
    for module in model.modules():
        if isinstance(module, bitsandbytes.nn.Linear4bit):
            module.compute_dtype = torch.float32
    return model.train()


def four_bit(directory):
    return exact(transformers.AutoModelForCausalLM.from_pretrained(
        directory, dtype=torch.float32, attn_implementation="eager"))


class CheckpointTest(EngineTest):
    def base(self, family="qwen2", **changes):
        return small_base(self.dir / "base", family, dtype=torch.bfloat16, **changes)

    def saved_by_transformers(self, base, **settings):
        config = transformers.BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_compute_dtype=torch.float32, **settings)
        model = transformers.AutoModelForCausalLM.from_pretrained(
            base, dtype=torch.bfloat16, quantization_config=config)
        directory = self.dir / "four_bit"
        model.save_pretrained(directory)
        return directory

    def quantize(self, base, output, *flags):
        done = subprocess.run(
            [BUILD / "bin" / "mozgach-trainer", "quantize", "--base", base, "--output", output, *flags],
            capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def ours(self, directory, documents, quantize=True):
        return self.probe_tensors(do="logits", base=directory, quantize=quantize, documents=documents)["logits"]

    def test_logits_of_checkpoints_that_transformers_saved(self):
        forms = {
            "nf4 double": dict(bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True),
            "nf4": dict(bnb_4bit_quant_type="nf4"),
            "fp4 double": dict(bnb_4bit_quant_type="fp4", bnb_4bit_use_double_quant=True),
            "fp4": dict(bnb_4bit_quant_type="fp4"),
            "stored as bfloat16": dict(bnb_4bit_quant_type="nf4", bnb_4bit_quant_storage=torch.bfloat16),
            "some linears dense": dict(
                bnb_4bit_quant_type="nf4",
                llm_int8_skip_modules=["lm_head", "model.layers.1.self_attn.k_proj", "down_proj"]),
        }
        # Whole blocks per row: there bitsandbytes' own kernel is right.
        base = self.base(hidden_size=64, intermediate_size=192)
        documents = random_documents(151, [50, 9])
        for name, settings in forms.items():
            with self.subTest(name):
                directory = self.saved_by_transformers(base, **settings)
                model = four_bit(directory)
                expected = reference_logits(model, documents).detach()
                self.assert_logits_agree(self.ours(directory, documents), expected)
                # Made dense, once.
                self.assert_logits_agree(self.ours(directory, documents, quantize=False), expected)

    def test_what_quantize_writes_is_what_transformers_writes(self):
        base = self.base()
        for double in (True, False):
            with self.subTest(double=double):
                theirs = self.saved_by_transformers(
                    base, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=double)
                output = self.dir / f"ours {double}"
                self.quantize(base, output, *([] if double else ["--no-double-quant"]))
                expected, written = load_file(theirs / "model.safetensors"), load_file(output / "model.safetensors")
                self.assertEqual(set(written), set(expected))
                for name, tensor in expected.items():
                    if "quant_state" in name:
                        self.assertEqual(json.loads(bytes(written[name]).decode()), json.loads(bytes(tensor).decode()))
                        continue
                    self.assertEqual(written[name].shape, tensor.shape, name)
                    self.assertTrue(torch.equal(written[name], tensor), name)
                config = json.loads((output / "config.json").read_text())["quantization_config"]
                reference_config = json.loads((theirs / "config.json").read_text())["quantization_config"]
                self.assertEqual(set(config) | {"modules_to_not_convert"},
                                 set(reference_config) | {"modules_to_not_convert"})
                for key in ("quant_method", "load_in_4bit", "bnb_4bit_quant_type", "bnb_4bit_use_double_quant",
                            "bnb_4bit_quant_storage"):
                    self.assertEqual(config[key], reference_config[key], key)

    def test_transformers_loads_what_quantize_writes(self):
        documents = random_documents(151, [50, 9])
        for family, flags in (("qwen2", []), ("llama", ["--shard-bytes", "40000"])):
            with self.subTest(family):
                base = small_base(self.dir / family, family, dtype=torch.bfloat16, tie_word_embeddings=False)
                output = self.dir / f"{family} in four bits"
                self.quantize(base, output, *flags)
                model = four_bit(output)
                expected = reference_logits(model, documents).detach()
                self.assert_logits_agree(self.ours(output, documents), expected)
                # And it is the base as it is quantised when it is loaded.
                self.assertTrue(torch.equal(self.ours(output, documents), self.ours(base, documents)))

    def test_a_base_for_images_too_keeps_its_vision_tower(self):
        config = transformers.Gemma3Config(
            text_config=dict(vocab_size=160, hidden_size=64, intermediate_size=128, num_hidden_layers=2,
                             num_attention_heads=2, num_key_value_heads=1, head_dim=32),
            vision_config=dict(hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2,
                               image_size=28, patch_size=14),
            mm_tokens_per_image=4, image_token_index=150, boi_token_index=151, eoi_token_index=152)
        base, output = self.dir / "gemma", self.dir / "gemma in four bits"
        transformers.Gemma3ForConditionalGeneration(config).to(torch.bfloat16).save_pretrained(base)
        self.assertEqual(self.quantize(base, output)["quantized_tensors"], 14)
        model = exact(transformers.Gemma3ForConditionalGeneration.from_pretrained(output, dtype=torch.float32))
        vision = [module for name, module in model.named_modules() if "vision_tower" in name and "q_proj" in name]
        self.assertTrue(vision and all(type(module) is torch.nn.Linear for module in vision))
        text = [module for name, module in model.named_modules() if name.endswith("up_proj")]
        self.assertTrue(text and all(type(module).__name__ == "Linear4bit" for module in text))
        ids = torch.tensor([[5, 6, 7, 8, 9, 10, 11]])
        logits = model(input_ids=ids, token_type_ids=torch.zeros_like(ids)).logits[0]
        self.assert_logits_agree(self.ours(output, [ids[0].tolist()]), logits.detach())


if __name__ == "__main__":
    unittest.main()
