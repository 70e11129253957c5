"""Writes the base as a Hugging Face model directory."""

import json
from pathlib import Path

import torch
from safetensors.torch import save
from tokenizers import Tokenizer

from .model import HEAD, SHAPE, Model
from .tokenizer import SPECIAL

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")
LONGEST = 1024


def export(model: Model, tokenizer: Tokenizer, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    weights = {f"model.{name}": tensor.detach().to(torch.bfloat16).contiguous() for name, tensor in model.state_dict().items()}
    (folder / "model.safetensors").write_bytes(save(weights, metadata={"format": "pt"}))
    tokenizer.save(str(folder / "tokenizer.json"))
    end_of_text, _, end_of_turn = (tokenizer.token_to_id(token) for token in SPECIAL)
    write(folder / "config.json", {
        "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", **SHAPE, "head_dim": HEAD, "hidden_act": "silu",
        "max_position_embeddings": LONGEST, "tie_word_embeddings": True, "torch_dtype": "bfloat16", "use_cache": True,
        "use_sliding_window": False, "attention_dropout": 0.0, "initializer_range": 0.05,
        "bos_token_id": None, "eos_token_id": end_of_turn, "pad_token_id": end_of_text})
    write(folder / "generation_config.json", {"eos_token_id": [end_of_turn, end_of_text], "pad_token_id": end_of_text})
    write(folder / "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "add_bos_token": False, "bos_token": None, "eos_token": SPECIAL[2],
        "pad_token": SPECIAL[0], "unk_token": None, "model_max_length": LONGEST, "clean_up_tokenization_spaces": False,
        "chat_template": CHAT_TEMPLATE})


def write(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")
