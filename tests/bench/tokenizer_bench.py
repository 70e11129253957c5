"""Bytes of text per second: `mozgach-trainer tokenize` beside Hugging Face's tokenizers, each on one core.

Ours is timed as a process, reading JSON lines and writing ids included, loading (timed with no input)
taken off; theirs within this process by encode_batch_fast, which keeps no offsets.  The two take turns, and
what counts is processor time, so that a busy machine slows neither.
"""

import json
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
try:
    from tokenizers import Tokenizer
except ImportError:
    print("skipped: the package tokenizers is not installed")
    sys.exit(77)

SOURCE = Path(os.environ["MOZGACH_SOURCE_DIR"])
TRAINER = Path(os.environ["MOZGACH_BUILD_DIR"]) / "bin" / "mozgach-trainer"
SHARED = SOURCE.parent / "shared" / "data"
ROUNDS = 5
BYTES = 4_000_000


def rows(files: list[Path]) -> list[str]:
    """The strings of the rows of JSON lines, about BYTES of them; over again where they are fewer."""
    texts = [" ".join(value for value in json.loads(line).values() if isinstance(value, str))
             for file in files for line in file.read_text(encoding="utf-8").split("\n") if line]
    size = sum(len(text.encode()) for text in texts)
    if not size:
        return []
    texts *= -(-BYTES // size)
    total = 0
    for count, text in enumerate(texts):
        total += len(text.encode())
        if total >= BYTES:
            return texts[:count + 1]
    return texts


def seconds_of(base: Path, lines: bytes) -> float:
    """Processor seconds of one process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([TRAINER, "tokenize", "--base", base], input=lines, stdout=subprocess.DEVNULL,
                   check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def show(name: str, speeds: list[float]) -> None:
    print(f"  {name:11} {min(speeds):6.1f} {statistics.median(speeds):6.1f} {max(speeds):6.1f} MB/s"
          "  (min, median, max)")


def measure(base: Path, kind: str, texts: list[str]) -> None:
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    lines = "".join(json.dumps(text, ensure_ascii=False) + "\n" for text in texts).encode()
    reference = Tokenizer.from_file(str(base / "tokenizer.json"))
    loads, ours, theirs = [], [], []
    for _ in range(ROUNDS):
        loads.append(seconds_of(base, b""))
        ours.append(seconds_of(base, lines))
        begun = time.process_time()
        reference.encode_batch_fast(texts, add_special_tokens=False)
        theirs.append(megabytes / (time.process_time() - begun))
    load = min(loads)
    print(f"{base.name}, {kind}: {len(texts)} texts, {megabytes:.1f} MB, loaded in {load:.2f} s, "
          f"{ROUNDS} runs")
    show("mozgach", [megabytes / max(seconds - load, 1e-9) for seconds in ours])
    show("tokenizers", theirs)


def main() -> None:
    bases = [SOURCE / "domains/bases/mozgach/tiny", SHARED / "stories260K/hf_qwen2_layout",
             *(SHARED / "tokenizers" / name for name in ("qwen3", "mistral"))]
    kinds = {"example domains": sorted((SOURCE / "domains/data").glob("*/train.jsonl")),
             "medicine and reasoning": sorted((SHARED / "domains108").glob("*.jsonl")),
             "Kazakh, Russian and others": sorted((SHARED / "tokenizer_vectors").glob("qwen3.jsonl"))}
    letters = random.Random(108)
    word = "".join(letters.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(1 << 20))
    texts_of = {kind: rows(files) for kind, files in kinds.items()}
    for kind, texts in {**texts_of, "a word of a megabyte": [word]}.items():
        for base in bases:
            if texts and (base / "tokenizer.json").exists():
                measure(base, kind, texts)


if __name__ == "__main__":
    main()
