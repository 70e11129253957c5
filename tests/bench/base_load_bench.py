"""Seconds until a base of Qwen2.5-0.5B's shape is ready in NF4: ours for the first time, ours again, and
transformers + bitsandbytes, in turn.

The weights are random.  Ours is what the trainer reports for `load`, and beside it the whole process from
start to exit; theirs is from_pretrained, without the imports.
"""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

try:
    import bitsandbytes  # noqa: F401
    import torch
    import transformers
except ImportError:
    print("skipped: transformers and bitsandbytes are not installed")
    sys.exit(77)

SOURCE = pathlib.Path(os.environ["MOZGACH_SOURCE_DIR"])
TRAINER = pathlib.Path(os.environ["MOZGACH_BUILD_DIR"]) / "bin" / "mozgach-trainer"
CONFIG = SOURCE.parent / "shared" / "data" / "configs" / "Qwen2.5-0.5B-Instruct.config.json"
TOKENIZER = SOURCE / "domains/bases/mozgach/tiny"
ROUNDS = int(os.environ.get("ROUNDS", "5"))


def make_base(directory):
    config = transformers.AutoConfig.for_model(**json.loads(CONFIG.read_text()))
    torch.manual_seed(108)
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(directory)
    shutil.copy(CONFIG, directory / "config.json")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(TOKENIZER / name, directory / name)


def ours(base, cache):
    """(seconds as reported, seconds of the whole process, resident MB after loading)"""
    request = {"op": "load", "base": "bench/base", "base_dir": str(base), "cache_dir": str(cache),
               "quantization": {"bnb_4bit_compute_dtype": "bfloat16"}}
    begin = time.perf_counter()
    with subprocess.Popen([TRAINER, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as trainer:
        trainer.stdin.write(json.dumps(request) + "\n")
        trainer.stdin.flush()
        for line in trainer.stdout:
            event = json.loads(line)
            if event["event"] != "ready":
                break
        trainer.stdin.close()
    if event["event"] != "base_loaded":
        sys.exit(line)
    return event["seconds"], time.perf_counter() - begin, event["memory_bytes"] / 1e6


def theirs(base):
    settings = transformers.BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4",
                                               bnb_4bit_use_double_quant=True,
                                               bnb_4bit_compute_dtype=torch.bfloat16)
    begin = time.perf_counter()
    transformers.AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16,
                                                      quantization_config=settings)
    return time.perf_counter() - begin


def show(name, seconds):
    print(f"  {name:42} {min(seconds):7.2f} {statistics.median(seconds):7.2f} {max(seconds):7.2f} s")


def main():
    if not CONFIG.exists():
        print("skipped: the configuration of Qwen2.5-0.5B is not beside the sources")
        sys.exit(77)
    transformers.utils.logging.disable_progress_bar()
    with tempfile.TemporaryDirectory(prefix="mozgach-bench-") as folder:
        base, cache = pathlib.Path(folder) / "base", pathlib.Path(folder) / "cache"
        make_base(base)
        size = sum(file.stat().st_size for file in base.glob("*.safetensors"))
        first, again, reference = [], [], []
        for _ in range(ROUNDS):
            shutil.rmtree(cache, ignore_errors=True)
            first.append(ours(base, cache))
            again.append(ours(base, cache))
            reference.append(theirs(base))
        print(f"{size / 1e6:.0f} MB of bfloat16, {os.cpu_count()} cores, {ROUNDS} rounds (min, median, max)")
        show("ours, first start: load and quantise", [each[0] for each in first])
        show("ours, second start: load", [each[0] for each in again])
        show("ours, first start: whole process", [each[1] for each in first])
        show("ours, second start: whole process", [each[1] for each in again])
        show("transformers + bitsandbytes", reference)
        print(f"  resident after loading: {first[-1][2]:.0f} MB first, {again[-1][2]:.0f} MB again")


if __name__ == "__main__":
    main()
