"""Peak memory of one training step by the length of its text: whole attention and a window, NF4, one long document
and several packed ones.

A small base with random weights trains on 8,192 to 102,400 tokens; each length is a process of its own.  Printed are
the peaks, the bytes per token between neighbouring lengths (the slope), and by how much the steepest slope exceeds the
mean: memory that is linear in the tokens gives a ratio near 1, a dense mask would give one near the lengths' own.

LENGTHS=8192,32768 chooses others; LAYERS=2 the base's layers.
"""

import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

try:
    import torch
    import transformers
except ImportError:
    print("skipped: transformers is not installed")
    sys.exit(77)

SOURCE = pathlib.Path(os.environ.get("MOZGACH_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
BUILD = pathlib.Path(os.environ.get("MOZGACH_BUILD_DIR", SOURCE / "build"))
TRAINER = BUILD / "bin" / "mozgach-trainer"
TOKENIZER = SOURCE / "domains" / "bases" / "mozgach" / "tiny"
LENGTHS = [int(each) for each in os.environ.get("LENGTHS", "8192,16384,32768,65536,102400").split(",")]
LAYERS = int(os.environ.get("LAYERS", "2"))
DOCUMENT = 4096  # tokens of each of the packed ones


def write_base(directory, window):
    directory.mkdir()
    shape = dict(vocab_size=4096, hidden_size=64, intermediate_size=192, num_hidden_layers=LAYERS,
                 num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=131072,
                 tie_word_embeddings=True, eos_token_id=2, bos_token_id=None, pad_token_id=None)
    config = (transformers.MistralConfig(**shape, sliding_window=window) if window
              else transformers.Qwen2Config(**shape))
    torch.manual_seed(108)
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(directory)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (directory / name).write_bytes((TOKENIZER / name).read_bytes())


def text_of(tokens, chance):
    return " ".join("".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=5)) for _ in range(tokens))


def train(folder, base, length, packed):
    """(peak resident bytes, tokens, seconds of the step)"""
    chance = random.Random(length)
    rows = [text_of(DOCUMENT - 8, chance)[: 3 * DOCUMENT] for _ in range(length // 512)] if packed \
        else [text_of(length, chance)]
    (folder / "train.jsonl").write_text("".join(json.dumps({"text": row}) + "\n" for row in rows))
    (folder / "one.jsonl").write_text(json.dumps({"text": "one"}) + "\n")
    (folder / "domain.yaml").write_text(json.dumps({
        "domain": "bench", "base": "bench/long",
        "data": {"train": "train.jsonl", "validation": "one.jsonl", "format": "text", "max_length": length,
                 "packing": packed},
        "training": {"max_steps": 1, "gradient_checkpointing": "true"}}))
    errors = folder / "errors.txt"
    with open(errors, "w") as stderr, open(folder / "out.txt", "w") as stdout:
        child = subprocess.Popen([TRAINER, "train", "--domain", folder / "domain.yaml", "--base", base, "--output",
                                  folder / "adapter", "--overwrite", "--json"], stdout=stdout, stderr=stderr)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(errors.read_text()[-2000:])
    step = json.loads((folder / "out.txt").read_text().splitlines()[0])
    assert step["tokens"] == length if not packed else step["tokens"] <= length, step
    return usage.ru_maxrss * 1024, step["tokens"], step["tokens"] / step["tokens_per_second"]


def main():
    transformers.utils.logging.disable_progress_bar()
    with tempfile.TemporaryDirectory(prefix="mozgach-bench-") as name:
        folder = pathlib.Path(name)
        for title, window, packed in (("whole attention, one document", 0, False),
                                      ("a window of 1,024, one document", 1024, False),
                                      ("whole attention, packed documents", 0, True)):
            base = folder / f"base-{window}"
            if not base.exists():
                write_base(base, window)
            print(f"{title}, {LAYERS} layers")
            points = []
            for length in LENGTHS:
                peak, tokens, seconds = train(folder, base, length, packed)
                points.append((tokens, peak))
                print(f"  {tokens:7} tokens: peak {peak / 1e6:8.1f} MB, {seconds:7.1f} s", flush=True)
            slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in zip(points, points[1:])]
            if slopes:
                mean = (points[-1][1] - points[0][1]) / (points[-1][0] - points[0][0])
                print(f"  slope: {' '.join(f'{slope:.0f}' for slope in slopes)} bytes per token; "
                      f"steepest over mean {max(slopes) / mean:.2f}", flush=True)


if __name__ == "__main__":
    main()
