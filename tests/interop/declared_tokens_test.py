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
        step = self.rng.choice([1, 1, 7])  # a gap between ids has no effect
        return [{"id": 1024 + i * step, "content": content, "special": self.happens(.5), **self.flags()}
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

    def load(self, files: dict):
        """What transformers loads, and our ids of TEXTS and our roles."""
        with tempfile.TemporaryDirectory() as base:
            for name, content in files.items():
                (Path(base) / name).write_text(json.dumps(content), encoding="utf-8")
            reference = AutoTokenizer.from_pretrained(base)
            lines = "".join(json.dumps(value) + "\n" for value in [*TEXTS, None])
            done = subprocess.run([PROBE, base], capture_output=True, check=True,
                                  input=lines.encode())
        *ids, roles = [json.loads(line) for line in done.stdout.splitlines()]
        return reference, ids, roles

    def compare(self, files: dict) -> None:
        reference, ours, _ = self.load(files)
        theirs = [reference(text, add_special_tokens=False).input_ids for text in TEXTS]
        if ours != theirs:
            shown = {name: content for name, content in files.items() if name != "tokenizer.json"}
            added = files["tokenizer.json"]["added_tokens"][3:]
            self.fail(f"{json.dumps(shown)}\nadded {added}\n  ours      {ours}\n  theirs    {theirs}")

    def compare_roles(self, files: dict) -> None:
        reference, _, roles = self.load(files)
        self.assertEqual(roles["eos"], reference.eos_token_id)
        whole = reference("a").input_ids
        alone = reference("a", add_special_tokens=False).input_ids
        self.assertEqual(roles["bos_to_prepend"], whole[0] if len(whole) > len(alone) else None)

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

    def test_tokens_that_a_class_declares(self):
        # Qwen2Tokenizer makes a new tokenizer of the vocabulary: it gets all added tokens here.
        decoder = {str(token["id"]): {key: value for key, value in token.items() if key != "id"}
                   for token in TINY["added_tokens"]}
        for config in [{}, {"eos_token": "<|im_end|>"}, {"tokenizer_class": "Qwen2TokenizerFast"}]:
            for model_type in ["qwen2", "qwen3", "llama"]:
                with self.subTest(model_type=model_type, **config):
                    self.compare_roles({"tokenizer.json": TINY, "config.json": {"model_type": model_type},
                                      "tokenizer_config.json": {**config,
                                                                "added_tokens_decoder": decoder}})

    def test_bos_is_the_post_processors_affair(self):
        bos = {"SpecialToken": {"id": "<|im_start|>", "type_id": 0}}
        text = {"Sequence": {"id": "A", "type_id": 0}}
        specials = {"<|im_start|>": {"id": "<|im_start|>", "ids": [1], "tokens": ["<|im_start|>"]}}
        for single in [[bos, text], [text]]:
            processor = {"type": "TemplateProcessing", "single": single, "pair": single,
                         "special_tokens": specials}
            for add in [True, False]:
                with self.subTest(single=single, add_bos_token=add):
                    self.compare_roles({
                        "tokenizer.json": {**TINY, "post_processor": processor},
                        "tokenizer_config.json": {"bos_token": "<|im_start|>", "add_bos_token": add,
                                                  "tokenizer_class": "PreTrainedTokenizerFast"}})

    def test_tokens_beyond_the_vocabulary(self):
        self.compare({"tokenizer.json": TINY,
                      "tokenizer_config.json": {"eos_token": "[X]", "pad_token": "[Y]"}})


if __name__ == "__main__":
    unittest.main()
