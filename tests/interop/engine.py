"""What the parity tests share: the probe, small random bases and adapters, and how far apart results are."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import torch
from safetensors.torch import load_file

BUILD = pathlib.Path(os.environ.get("MOZGACH_BUILD_DIR", "build"))
SOURCE = pathlib.Path(os.environ.get("MOZGACH_SOURCE_DIR", "."))


class EngineTest(unittest.TestCase):
    """A test with a directory of its own and a probe to ask."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="mozgach-interop-")
        self.addCleanup(directory.cleanup)
        self.dir = pathlib.Path(directory.name)
        torch.manual_seed(108)

    def probe(self, **request):
        """Standard output of the probe."""
        path = self.dir / "request.json"
        path.write_text(json.dumps(request, default=str))
        done = subprocess.run([BUILD / "tests" / "engine_probe", path], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def probe_tensors(self, **request):
        """The tensors that the probe writes."""
        out = self.dir / "out.safetensors"
        self.probe(out=out, **request)
        return load_file(out)

    def assert_logits_agree(self, ours, reference, limit=1e-4):
        error = (ours - reference).abs().max() / reference.std()
        self.assertLessEqual(error.item(), limit)

    def assert_gradients_agree(self, ours, reference, limit=1e-4):
        self.assertEqual(set(ours), set(reference))
        for name, gradient in reference.items():
            error = (ours[name] - gradient).norm() / gradient.norm()
            self.assertGreater(gradient.norm().item(), 0, name)
            self.assertLessEqual(error.item(), limit, name)


def config_class(family):
    import transformers

    return {
        "gemma3_text": transformers.Gemma3TextConfig,
        "llama": transformers.LlamaConfig,
        "mistral": transformers.MistralConfig,
        "qwen2": transformers.Qwen2Config,
        "qwen3": transformers.Qwen3Config,
    }[family]


SMALL = dict(
    vocab_size=151,
    hidden_size=64,
    intermediate_size=192,
    num_hidden_layers=3,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=256,
    tie_word_embeddings=True,
    initializer_range=0.15,
    bos_token_id=1,
    eos_token_id=2,
    pad_token_id=None,
)


def randomise(model, family):
    """Biases and norms that matter; Gemma's norms add 1 to what is stored."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                parameter.normal_(0, 0.3)
            elif "norm" in name:
                parameter.normal_(0 if family.startswith("gemma3") else 1, 0.2)


def small_base(directory, family, dtype=torch.float32, **changes):
    """A base with random weights, saved as transformers saves it."""
    import transformers

    config = config_class(family)(**{**SMALL, **changes})
    model = transformers.AutoModelForCausalLM.from_config(config).to(dtype)
    randomise(model, family)
    model.save_pretrained(directory)
    return directory


def reference_model(directory, quantize=False, dtype=torch.float32):
    import transformers

    settings = {}
    if quantize:
        settings["quantization_config"] = transformers.BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=dtype,
        )
    model = transformers.AutoModelForCausalLM.from_pretrained(
        directory, dtype=dtype, attn_implementation="eager", **settings
    )
    # In training mode bitsandbytes dequantises and multiplies; its fused CPU kernel computes in bfloat16.
    return model.train() if quantize else model.eval()


def adapted(model, directory=None, r=4, lora_alpha=12, **settings):
    """`model` with an adapter whose A and B are random; saved to `directory`."""
    import peft

    settings = {"target_modules": "all-linear", **settings}
    config = peft.LoraConfig(r=r, lora_alpha=lora_alpha, task_type="CAUSAL_LM", **settings)
    model = peft.get_peft_model(model, config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.normal_(0, 0.08)
    if directory is not None:
        model.save_pretrained(directory)
    return model


def random_documents(vocabulary, lengths):
    return [torch.randint(3, vocabulary, (length,)).tolist() for length in lengths]


def reference_logits(model, documents):
    """Each document on its own, one after another."""
    return torch.cat([model(torch.tensor([ids])).logits[0] for ids in documents]).float()


def reference_gradients(model, documents):
    """Loss and the gradients of the LoRA matrices, under the names PEFT saves them by."""
    loss = 0
    for ids in documents:
        logits = model(torch.tensor([ids])).logits[0].float()
        loss = loss + torch.nn.functional.cross_entropy(
            logits[:-1], torch.tensor(ids[1:]), reduction="sum"
        )
    loss.backward()
    gradients = {
        name.replace(".default", ""): parameter.grad
        for name, parameter in model.named_parameters()
        if "lora_" in name
    }
    return loss.detach(), gradients
