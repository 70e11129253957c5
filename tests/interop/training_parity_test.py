"""The loss curve, and what a published adapter does, held against PEFT, transformers and bitsandbytes.

A small random base is written in Hugging Face layout, trained here with mozgach-trainer and there with
PEFT from the same initial adapter on the same batches (every step sees every row, so that the order of
rows plays no part), and the losses and the adapters are compared.
"""

import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # where others use the processor, spinning is slow

try:
    import torch
    from peft import LoraConfig, PeftModel, get_peft_model
    from safetensors.torch import load_file
    from transformers import (
        AutoModelForCausalLM,
        BitsAndBytesConfig,
        Gemma3TextConfig,
        LlamaConfig,
        MistralConfig,
        Qwen2Config,
        Qwen3Config,
        get_cosine_schedule_with_warmup,
    )
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

TRAINER = pathlib.Path(os.environ.get("MOZGACH_BUILD_DIR", "build")) / "bin" / "mozgach-trainer"
MODULES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
EOS = 258
STEPS = 50
WARMUP = 3
RATE = 5e-3


torch.set_num_threads(1)


def write_tokenizer(directory):
    """Byte-level BPE without merges: ids 0-255 are the bytes."""
    alphabet, extra = {}, 256
    for byte in range(256):
        plain = 33 <= byte <= 126 or 161 <= byte <= 172 or byte >= 174
        alphabet[chr(byte if plain else extra)] = byte
        extra += 0 if plain else 1
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    added = [
        {"id": 256 + i, "content": text, "single_word": False, "lstrip": False, "rstrip": False,
         "normalized": False, "special": True}
        for i, text in enumerate(specials)
    ]
    model = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
             "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
             "ignore_merges": False, "vocab": alphabet, "merges": []}
    tokenizer = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
                 "normalizer": None, "pre_tokenizer": level, "post_processor": None,
                 "decoder": level, "model": model}
    (directory / "tokenizer.json").write_text(json.dumps(tokenizer))
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|im_end|>"}
    (directory / "tokenizer_config.json").write_text(json.dumps(config))


FAMILIES = {
    "qwen2": (Qwen2Config, {}),
    "qwen3": (Qwen3Config, {"head_dim": 32}),
    "llama": (LlamaConfig, {"tie_word_embeddings": False}),
    "mistral": (MistralConfig, {"sliding_window": 8}),
    "gemma3_text": (Gemma3TextConfig, {"head_dim": 16, "sliding_window": 8, "query_pre_attn_scalar": 21,
                                       "layer_types": ["sliding_attention", "full_attention"]}),
}


def write_base(directory, family):
    torch.manual_seed(1)
    config_class, changes = FAMILIES[family]
    settings = dict(vocab_size=264, hidden_size=64, intermediate_size=128, num_hidden_layers=2,
                    num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=512,
                    initializer_range=0.1, tie_word_embeddings=True, eos_token_id=EOS,
                    bos_token_id=None, pad_token_id=None)
    model = AutoModelForCausalLM.from_config(config_class(**{**settings, **changes})).to(torch.float32)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                parameter.normal_(0, 0.1)
    model.save_pretrained(directory)
    write_tokenizer(directory)


def rows():
    """Eight rows of different lengths."""
    return [("shout " + "abcdefgh"[: 2 + i % 5] + str(i), ("ABCDEFGH"[: 2 + i % 5] + "!") * (1 + i % 3))
            for i in range(8)]


def example(prompt, answer):
    """Ids and labels of a row without a chat template: prompt, line break, answer, EOS."""
    context, target = list((prompt + "\n").encode()), list(answer.encode()) + [EOS]
    return context + target, [-100] * len(context) + target


def load_base(directory, quantized):
    options = {"dtype": torch.float32}
    if quantized:
        options["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.float32)
        options["device_map"] = "cpu"
    return AutoModelForCausalLM.from_pretrained(directory, **options)


def summed_loss(model, ids, labels):
    logits = model(input_ids=torch.tensor([ids])).logits[0, :-1].float()
    return torch.nn.functional.cross_entropy(logits, torch.tensor(labels[1:]), ignore_index=-100,
                                             reduction="sum")


def nearest_level(values, code, absmax, out, blocksize):
    """Block-wise quantisation to the nearest level, as bitsandbytes does it on a GPU; on a CPU its table of even
    steps makes small second moments 0."""
    flat = torch.nn.functional.pad(values.flatten(), (0, -values.numel() % blocksize)).view(-1, blocksize)
    absmax.copy_(flat.abs().amax(1))
    scaled = (flat * (1 / absmax.clamp_min(1e-38)).unsqueeze(1)).flatten()[: values.numel()]
    levels = code.sort().values
    upper = torch.bucketize(scaled, levels).clamp(1, 255)
    lower = scaled - levels[upper - 1] <= levels[upper] - scaled
    out.copy_((upper - lower.long()).to(torch.uint8).view(out.shape))


def optimizer_of(parameters, optim):
    settings = dict(lr=RATE, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)
    if optim == "adamw":
        return torch.optim.AdamW(parameters, **settings)
    import bitsandbytes
    from bitsandbytes.backends.cpu import ops

    ops._quant_blockwise_fp32_direct = nearest_level
    return bitsandbytes.optim.AdamW8bit(parameters, **settings)


def reference_losses(model, optim="adamw"):
    """STEPS optimizer steps over all rows, the loss a mean over the trained tokens of the window."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = optimizer_of(parameters, optim)
    schedule = get_cosine_schedule_with_warmup(optimizer, WARMUP, STEPS)
    examples = [example(*row) for row in rows()]
    trained = sum(label != -100 for _, labels in examples for label in labels)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        losses.append(0.0)
        for ids, labels in examples:
            loss = summed_loss(model, ids, labels) / trained
            loss.backward()
            losses[-1] += loss.item()
        torch.nn.utils.clip_grad_norm_(parameters, 0.5)
        optimizer.step()
        schedule.step()
    return losses


class TrainingParityTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="mozgach-parity-")
        self.addCleanup(self.directory.cleanup)
        self.work = pathlib.Path(self.directory.name)
        self.write_base("qwen2")
        lines = [json.dumps({"instruction": p, "output": a}) for p, a in rows()]
        (self.work / "train.jsonl").write_text("\n".join(lines) + "\n")

    def write_base(self, family):
        self.base = self.work / family
        self.base.mkdir()
        write_base(self.base, family)

    def write_initial_adapter(self, model):
        torch.manual_seed(2)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if "lora_" in name:
                    parameter.normal_(0, 0.05)
        model.save_pretrained(self.work / "initial")

    def train(self, quantized, r=4, optim="adamw"):
        (self.work / "domain.yaml").write_text(json.dumps({
            "domain": "parity", "base": "mozgach/parity",
            "data": {"train": "train.jsonl", "validation": "train.jsonl", "chat_template": "none",
                     "packing": False, "max_length": 64},
            "quantization": {"load_in_4bit": quantized, "bnb_4bit_compute_dtype": "float32"},
            "lora": {"r": r, "lora_alpha": 2 * r},
            "training": {"optim": optim, "max_steps": STEPS, "per_device_train_batch_size": 2,
                         "gradient_accumulation_steps": 4, "learning_rate": RATE,
                         "lr_scheduler_type": "cosine", "warmup_steps": WARMUP,
                         "weight_decay": 0.01, "max_grad_norm": 0.5}}))
        self.output = self.work / "output"
        ran = subprocess.run(
            [TRAINER, "train", "--domain", self.work / "domain.yaml", "--base", self.base, "--output",
             self.output, "--overwrite", "--init-adapter", self.work / "initial", "--json", "--threads", "2"],
            capture_output=True, text=True, check=False)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        return [json.loads(line)["loss"] for line in ran.stdout.splitlines()]

    def compare(self, quantized, r=4, optim="adamw"):
        base = load_base(self.base, quantized)
        model = get_peft_model(base, LoraConfig(r=r, lora_alpha=2 * r, target_modules=MODULES,
                                                task_type="CAUSAL_LM"))
        model.train()
        self.write_initial_adapter(model)
        losses = self.train(quantized, r, optim)
        expected = reference_losses(model, optim)
        self.assertLess(expected[-1], 0.9 * expected[0], "the reference learns nothing")
        difference = max(abs(a - b) for a, b in zip(losses, expected, strict=True))
        print(f"{self.base.name}, quantized={quantized}: largest difference of {STEPS} losses {difference:.2e}")
        self.assertLessEqual(difference, 1e-3)
        model.save_pretrained(self.work / "reference")
        ours = load_file(self.output / "adapter_model.safetensors")
        theirs = load_file(self.work / "reference" / "adapter_model.safetensors")
        self.assertEqual(sorted(ours), sorted(theirs))
        for name, tensor in theirs.items():
            relative = (ours[name] - tensor).norm() / tensor.norm()
            self.assertLess(relative, 1e-2, name)

    def test_loss_curve_in_float32_is_that_of_peft(self):
        self.compare(quantized=False)

    def test_loss_curves_of_the_other_families(self):
        for family, quantized in (("qwen3", True), ("gemma3_text", True), ("gemma3_text", False),
                                  ("llama", False), ("mistral", False)):
            with self.subTest(family, quantized=quantized):
                self.base = self.work / family
                if not self.base.exists():
                    self.write_base(family)
                self.compare(quantized)

    def test_loss_curve_on_nf4_is_that_of_peft_and_bitsandbytes(self):
        self.compare(quantized=True)

    def test_loss_curve_with_moments_of_8_bits_is_that_of_bitsandbytes(self):
        self.compare(quantized=False, r=64, optim="adamw_8bit")

    def test_published_adapter_acts_in_peft_as_it_does_here(self):
        plain = load_base(self.base, quantized=False)
        self.write_initial_adapter(get_peft_model(
            plain, LoraConfig(r=4, lora_alpha=8, target_modules=MODULES, task_type="CAUSAL_LM")))
        self.train(quantized=False)
        ids = example(*rows()[3])[0]
        file = self.work / "logits.safetensors"
        ran = subprocess.run(
            [TRAINER, "score", "--base", self.base, "--adapter", self.output, "--tokens",
             ",".join(map(str, ids)), "--logits", file],
            capture_output=True, text=True, check=False)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        model = PeftModel.from_pretrained(load_base(self.base, quantized=False), self.output)
        model.eval()
        with torch.no_grad():
            expected = model(input_ids=torch.tensor([ids])).logits[0]
            with model.disable_adapter():
                bare = model(input_ids=torch.tensor([ids])).logits[0]
        logits = load_file(file)["logits"]
        difference = ((logits - expected).abs().max() / expected.std()).item()
        print(f"largest difference of the logits over their deviation: {difference:.2e}")
        self.assertLessEqual(difference, 1e-4)
        self.assertGreater((bare - expected).abs().max().item(), 0.1, "the adapter does nothing")
        nll = json.loads(ran.stdout)["mean_nll"]
        mean = torch.nn.functional.cross_entropy(expected[:-1], torch.tensor(ids[1:])).item()
        self.assertTrue(math.isclose(nll, mean, rel_tol=1e-4), (nll, mean))


if __name__ == "__main__":
    unittest.main()
