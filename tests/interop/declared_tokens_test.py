"""Our reading of the files beside tokenizer.json against transformers 5: the same ids for every text.

Bases are made of the tiny tokenizer and of random combinations of added_tokens, tokenizer_config.json,
special_tokens_map.json and added_tokens.json, as fine-tuners leave them behind.
"""

import json
import logging
import os
import random
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
try:
    from transformers import AutoTokenizer, __version__
except ImportError:
    print("skipped: the package transformers is not installed")
    sys.exit(77)
if int(__version__.split(".")[0]) < 5:
    print("skipped: transformers", __version__, "reads these files in another way")
    sys.exit(77)
logging.disable(logging.CRITICAL)

SOURCE = Path(os.environ["MOZGACH_SOURCE_DIR"])
PROBE = Path(os.environ["MOZGACH_BUILD_DIR"]) / "tests" / "tokenizer_probe"
TINY = json.loads((SOURCE / "domains/bases/mozgach/tiny/tokenizer.json").read_text())

NAMES = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"]
# Two of them are words of the vocabulary, "W W" is none.
CONTENTS = ["[X]", "[Y]", "[Z]", "<|im_end|>", "<|endoftext|>", "<|im_start|>", "the", "W W"]
TEXTS = ["a [X] b[Y]  <|im_end|> c", "[Z][X] [Y]\n[X]\n", "the other <|endoftext|>the\tW W W",
         " <|im_start|> user [X]the[Z] <|im_end|>\n<|im_end|>", "x[X]y [Y] z", ""]


class Maker:
    """Random files of one base."""

    def __init__(self, seed: int):
        self.rng = random.Random(seed)

    def flags(self) -> dict:
        odds = {"lstrip": .3, "rstrip": .3, "single_word": .2, "normalized": .4}
        return {flag: self.rng.random() < chance for flag, chance in odds.items()}

    def happens(self, chance: float) -> bool:
        return self.rng.random() < chance

    def described(self) -> dict:
        return {"content": self.rng.choice(CONTENTS), **self.flags()}

    def added(self) -> list:
        return [{"id": 1024 + i, "content": content, "special": self.happens(.5), **self.flags()}
                for i, content in enumerate(self.rng.sample(CONTENTS[:3], self.rng.randint(0, 2)))]

    def decoder(self) -> dict:
        decoder = {}
        for content in self.rng.sample(CONTENTS, self.rng.randint(0, 4)):
            known = {"<|im_end|>": 2, "<|endoftext|>": 0, "<|im_start|>": 1}.get(content)
            number = self.rng.randint(1024, 1040) if known is None else known
            decoder[str(number)] = {"content": content, "special": self.happens(.5), **self.flags()}
        return decoder

    def config(self) -> dict:
        config = {"tokenizer_class": "PreTrainedTokenizerFast"}
        config.update({name: self.rng.choice(CONTENTS) for name in NAMES if self.happens(.2)})
        if self.happens(.2):
            config["additional_special_tokens"] = self.rng.sample(CONTENTS, 2)
        if self.happens(.15):
            config["extra_special_tokens"] = self.rng.choice(
                [self.rng.sample(CONTENTS, 2), {"image_token": self.rng.choice(CONTENTS)}])
        if self.happens(.15):
            config["boi_token"] = self.rng.choice(CONTENTS)
        if self.happens(.4):
            config["added_tokens_decoder"] = self.decoder()
        return config

    def map(self) -> dict:
        names = {name: self.described() if self.happens(.4) else self.rng.choice(CONTENTS)
                 for name in NAMES if self.happens(.2)}
        if self.happens(.2):
            names["additional_special_tokens"] = self.rng.sample(CONTENTS, 2)
        if self.happens(.2):
            names["extra_special_tokens"] = [self.rng.choice(CONTENTS), self.described()]
        return names

    def files(self) -> dict:
        tokenizer = {**TINY, "added_tokens": TINY["added_tokens"] + self.added()}
        files = {"tokenizer.json": tokenizer, "tokenizer_config.json": self.config()}
        if self.happens(.5):
            files["special_tokens_map.json"] = self.map()
        if self.happens(.4):
            files["added_tokens.json"] = {
                content: self.rng.randint(1020, 1040)
                for content in self.rng.sample(CONTENTS, self.rng.randint(0, 3))}
        return files


class DeclaredTokensTest(unittest.TestCase):

    def compare(self, files: dict) -> None:
        with tempfile.TemporaryDirectory() as base:
            for name, content in files.items():
                (Path(base) / name).write_text(json.dumps(content), encoding="utf-8")
            reference = AutoTokenizer.from_pretrained(base)
            done = subprocess.run([PROBE, base], capture_output=True, check=True,
                                  input="".join(json.dumps(text) + "\n" for text in TEXTS).encode())
        ours = [json.loads(line) for line in done.stdout.splitlines()]
        theirs = [reference(text, add_special_tokens=False).input_ids for text in TEXTS]
        if ours != theirs:
            shown = {name: content for name, content in files.items() if name != "tokenizer.json"}
            added = files["tokenizer.json"]["added_tokens"][3:]
            self.fail(f"{json.dumps(shown)}\nadded {added}\n  ours      {ours}\n  theirs    {theirs}")

    def test_random_combinations(self):
        for seed in range(150):
            with self.subTest(seed=seed):
                self.compare(Maker(seed).files())

    def test_token_that_stands_only_in_added_tokens_json(self):
        self.compare({"tokenizer.json": TINY, "tokenizer_config.json": {},
                      "added_tokens.json": {"[X]": 1024, "[Y]": 1030}})

    def test_decoder_replaces_the_flags_of_a_token(self):
        flags = {"content": "<|im_end|>", "lstrip": True, "rstrip": True, "normalized": False,
                 "single_word": False, "special": True}
        self.compare({"tokenizer.json": TINY,
                      "tokenizer_config.json": {"added_tokens_decoder": {"2": flags}}})

    def test_tokens_beyond_the_vocabulary(self):
        self.compare({"tokenizer.json": TINY,
                      "tokenizer_config.json": {"eos_token": "[X]", "pad_token": "[Y]"}})


if __name__ == "__main__":
    unittest.main()
