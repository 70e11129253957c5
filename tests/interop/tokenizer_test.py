"""Our tokenizer against Hugging Face's tokenizers: the same ids for every text, the same text for all ids.

Real tokenizers come from ../shared/data where it is there; small ones are trained here, so that every
kind of pipeline that a tokenizer.json may ask for is held against the reference.
"""

import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import unicodedata
import unittest
from pathlib import Path

os.environ["RUST_BACKTRACE"] = "0"
try:
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers
    from tokenizers import pre_tokenizers, trainers
except ImportError:
    print("skipped: the package tokenizers is not installed")
    sys.exit(77)

SOURCE = Path(os.environ["MOZGACH_SOURCE_DIR"])
BUILD = Path(os.environ["MOZGACH_BUILD_DIR"])
TRAINER = BUILD / "bin" / "mozgach-trainer"
PROBE = BUILD / "tests" / "tokenizer_probe"
SHARED = SOURCE.parent / "shared" / "data"

QWEN2 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
         r"|\s*[\r\n]+|\s+(?!\S)|\s+")
LLAMA3 = QWEN2.replace(r"|\p{N}|", r"|\p{N}{1,3}|")

TRICKY = [
    "", " ", "  ", "\n", "\r\n", "\t", "a", " a", "a ", "  a  b  ", "Hello, world!",
    "I'm sure they'll say we've won; it's DON'T, 'S, 'LL, he'd", "O\u2019Neill's '\u017ft",
    "line one\nline two\r\nline three\rline four\n\n\nend\n", "\ttabs\t\tand  spaces \n \n  x",
    "1234567890 3.14159 1,000,000 ١٢٣ ²³ ½ Ⅳ ①",
    "x = foo(bar)[0] != {'a': 1}; // ok?\n\tif (x) return;",
    "你好，世界！今天天气怎么样？", "日本語のテキストと한국어 텍스트", "ภาษาไทยไม่มีช่องว่าง",
    "Қазақстан Республикасының Конституциясы — ең жоғары заң күші бар құжат.",
    "Съешь ещё этих мягких французских булок, да выпей чаю. ЁЖ и й И\u0306 и\u0306",
    "مرحبا بالعالم", "שלום עולם", "नमस्ते दुनिया", "Ελληνικά",
    "😀😃 👩‍👩‍👧‍👦 🏳️‍🌈 🇰🇿 👍🏽",
    "e\u0301 vs \u00e9, a\u0323\u0302 q\u0307\u0323, \u1e9b\u0323 \u212b \u2126 \u0344",
    "\u1100\u1161\u11a8 \uac00\u11a8 \uac00\u11a7 \ud55c\uae00", "Z\u0351\u036b\u0343a\u0321l\u0348g\u0334o",
    "zero\u200bwidth\u200cjoin\u200der\ufeffbom\u00a0nbsp\u2028ls\u2029ps\u0085nel\u180emvs\u3000ideo",
    "\u0000\u0001\u007f\u0080\u00ad\ufffd\uffff\U0010ffff",
    "\U00031350\U00031351漢字\U0001e4d0 \U00010d40\U00010d41 x\u1c8ax",
    "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n", "<|im_end|><|im_end|> <|endoftext|>x",
    "<|im_", "<|im_end|", "<<|im_end|>>", "<tool_call>{\"a\": 1}</tool_call><think>\n\n</think>",
    "<s>text</s><unk> <s> </s>", "▁▁a▁b ▁", "<0x0A><0xFF>",
    "a" * 3000, "ab " * 1000, "!" * 999, " " * 1000,
    "\n" * 500 + "x", "é" * 700, "e\u0301" * 300, "你" * 1200, "\u0301" * 400,
    "Ж" * 45, "Ж" * 46 + " " + "w" * 47,
]

ALPHABETS = [
    [*range(0x20, 0x7F)], [*range(0x20, 0x7F), 0x0A, 0x0D, 0x09, 0x20, 0x20], [*range(0xA0, 0x250)],
    [0x20, *range(0x300, 0x370), *range(0x61, 0x7B)], [0x20, *range(0x400, 0x530)],
    [*range(0x4E00, 0x4F00), 0x3002, 0xFF0C], [*range(0x1100, 0x1200), *range(0xAC00, 0xAC80)],
    [*range(0x1F300, 0x1F650), 0x200D, 0xFE0F], [*range(0x2000, 0x2070), 0x20, 0x61],
    [*range(0x900, 0xE00)], [*range(0x1E00, 0x2000)],
    [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF],
]


def texts(seed: int) -> list[str]:
    """The tricky texts, and random ones that are the same for the same seed."""
    rng = random.Random(seed)
    made = ["".join(chr(rng.choice(alphabet)) for _ in range(rng.randrange(1, 60)))
            for _ in range(40) for alphabet in ALPHABETS]
    shuffled = [" ".join(rng.sample(TRICKY[10:33], 3)) for _ in range(40)]
    return TRICKY + made + shuffled


def probe(base: Path, asked: list) -> list:
    """What our tokenizer says to texts (ids) and to {"ids": …} (text)."""
    done = subprocess.run([PROBE, base], capture_output=True, check=True,
                          input="".join(json.dumps(line) + "\n" for line in asked).encode())
    return [json.loads(line) for line in done.stdout.splitlines()]


def reference_ids(reference: Tokenizer, text: str) -> list[int] | None:
    """None where the reference panics: beside tokens that strip, it may cut a character in two."""
    try:
        return reference.encode(text, add_special_tokens=False).ids
    except BaseException as error:
        if type(error).__name__ == "PanicException":
            return None
        raise


class TokenizerTest(unittest.TestCase):

    def compare(self, base: Path, seed: int = 108, lines: list[str] | None = None) -> None:
        reference = Tokenizer.from_file(str(base / "tokenizer.json"))
        lines = texts(seed) if lines is None else lines
        expected = [reference_ids(reference, line) for line in lines]
        self.assertGreater(len(expected), 4 * expected.count(None))
        for text, ours, theirs in zip(lines, probe(base, lines), expected, strict=True):
            if theirs is not None and ours != theirs:
                tokens = [reference.id_to_token(id) for id in theirs]
                self.fail(f"{text!r}\n  ours      {ours}\n  reference {theirs} {tokens}")
        self.compare_decoded(base, reference, [ids for ids in expected if ids], seed)

    def compare_decoded(self, base: Path, reference: Tokenizer, rows: list, seed: int) -> None:
        rng = random.Random(seed)
        size = reference.get_vocab_size()
        rows = rows + [[rng.randrange(size + 2) for _ in range(rng.randrange(12))]
                       for _ in range(300)]
        # A special token that a normalizer changes is none to the reference once it is decoded.
        odd = {id for id, token in reference.get_added_tokens_decoder().items()
               if token.special and token.content != reference.id_to_token(id)}
        asked = [{"ids": ids, "skip_special": skip} for ids in rows for skip in (False, True)
                 if not (skip and odd.intersection(ids))]
        for question, text in zip(asked, probe(base, asked), strict=True):
            expected = reference.decode(question["ids"],
                                        skip_special_tokens=question["skip_special"])
            if text != expected:
                self.fail(f"{question}\n  ours      {text!r}\n  reference {expected!r}")

    def compare_made(self, tokenizer: Tokenizer, lines: list[str] | None = None,
                     **changes) -> None:
        """Compares a tokenizer made here, with fields of its model changed."""
        described = json.loads(tokenizer.to_str())
        described["model"].update(changes)
        with tempfile.TemporaryDirectory() as base:
            (Path(base) / "tokenizer.json").write_text(json.dumps(described), encoding="utf-8")
            self.compare(Path(base), lines=lines)

    def test_real_tokenizers(self):
        bases = [SHARED / "tokenizers" / name for name in ("qwen2.5", "qwen3", "mistral")]
        bases += [SHARED / "stories260K" / "hf_qwen2_layout", SOURCE / "domains/bases/mozgach/tiny"]
        found = [base for base in bases if (base / "tokenizer.json").exists()]
        if not found:
            self.skipTest("no tokenizer.json in ../shared/data or domains/bases")
        for number, base in enumerate(found):
            with self.subTest(base=base.name):
                self.compare(base, seed=number)

    def test_a_line_that_is_no_string_is_named_and_those_before_it_are_answered(self):
        with tempfile.TemporaryDirectory() as base:
            self.byte_level(pre_tokenizers.ByteLevel()).save(f"{base}/tokenizer.json")
            for line in ("7", "", "[1]", '"cut', '"\\ud800"', "null"):
                with self.subTest(line=line):
                    done = subprocess.run([TRAINER, "tokenize", "--base", base], text=True,
                                          input=f'"a"\n{line}\n"b"\n', capture_output=True,
                                          check=False)
                    self.assertEqual(done.returncode, 2)
                    self.assertIn("line 2", done.stderr)
                    self.assertEqual(len(done.stdout.splitlines()), 1)

    def byte_level(self, *steps, added=(), normalizer=None, **options) -> Tokenizer:
        """A byte-level BPE of 600 tokens, learnt from the tricky texts."""
        tokenizer = Tokenizer(models.BPE(**options))
        if normalizer is not None:
            tokenizer.normalizer = normalizer
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(list(steps))
        tokenizer.decoder = decoders.ByteLevel()
        tokenizer.train_from_iterator(TRICKY, trainers.BpeTrainer(
            vocab_size=600, show_progress=False, special_tokens=["<|endoftext|>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
        tokenizer.add_tokens(list(added))
        return tokenizer

    def characters(self, pre_tokenizer=None, normalizer=None, added=(), decoder=None,
                   **options) -> Tokenizer:
        """A BPE over characters in the manner of SentencePiece, with byte fallback."""
        tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True,
                                         **options))
        if normalizer is not None:
            tokenizer.normalizer = normalizer
        if pre_tokenizer is not None:
            tokenizer.pre_tokenizer = pre_tokenizer
        corpus = [word for text in TRICKY for word in text.split(" ")]
        tokenizer.train_from_iterator(corpus, trainers.BpeTrainer(
            vocab_size=700, limit_alphabet=150, show_progress=False,
            special_tokens=["<unk>", "<s>", "</s>", *(f"<0x{b:02X}>" for b in range(256))]))
        described = json.loads(tokenizer.to_str())
        described["added_tokens"] = described["added_tokens"][:3]
        tokenizer = Tokenizer.from_str(json.dumps(described))
        if decoder is not None:
            tokenizer.decoder = decoder
        tokenizer.add_tokens(list(added))
        return tokenizer

    def test_llama3_splits_and_whole_words(self):
        made = self.byte_level(pre_tokenizers.Split(Regex(LLAMA3), "isolated"),
                               pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False))
        self.compare_made(made)
        self.compare_made(made, ignore_merges=True)

    def test_gpt2_words_with_a_prefix_space(self):
        for prefix in (False, True):
            self.compare_made(self.byte_level(pre_tokenizers.ByteLevel(add_prefix_space=prefix)))

    def test_digits_before_byte_level(self):
        for individual in (False, True):
            self.compare_made(self.byte_level(pre_tokenizers.Digits(individual_digits=individual),
                                              pre_tokenizers.ByteLevel(add_prefix_space=False)))

    def test_every_behaviour_of_a_split(self):
        for behavior in ("removed", "isolated", "merged_with_previous", "merged_with_next",
                         "contiguous"):
            for invert in (False, True):
                with self.subTest(behavior=behavior, invert=invert):
                    self.compare_made(self.byte_level(
                        pre_tokenizers.Split(Regex(r"\s|\p{P}"), behavior, invert),
                        pre_tokenizers.Split(" ", behavior),
                        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)))

    def test_patterns_that_two_engines_read_differently(self):
        for pattern in (r"\w+|[^\w\s]+", r"[\S]+|\s", r"\W", r"\p{Han}+|\p{Cyrillic}+|[\s\S]",
                        r"^.|.$", r"(?i:ss|s|k)+", r"\h+", r"\p{^L}", r"x*", r"(?=\p{Lu})", r"\d{2}",
                        r"[^\S\n]+", r"(?<=\p{Ll})(?!\p{Ll})"):
            with self.subTest(pattern=pattern):
                self.compare_made(self.byte_level(
                    pre_tokenizers.Split(Regex(pattern), "isolated"),
                    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)))

    def test_added_tokens_with_every_flag(self):
        added = [AddedToken("<l>", lstrip=True), AddedToken("<r>", rstrip=True, normalized=False),
                 AddedToken("Hello", single_word=True), AddedToken("text", single_word=True),
                 AddedToken("<|im", normalized=False), AddedToken("<|im_end|>", special=True),
                 AddedToken("\n", lstrip=True, rstrip=True), AddedToken("é", normalized=True),
                 AddedToken("  ", normalized=False), AddedToken("ещё", rstrip=True)]
        made = self.byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False), added=added,
                               normalizer=normalizers.NFC())
        self.compare_made(made)

    def test_sentencepiece_normalizers(self):
        spaces = normalizers.Replace(" ", "▁")
        for normalizer in (normalizers.Sequence([normalizers.Prepend("▁"), spaces]), spaces,
                           normalizers.Sequence([normalizers.NFC(), spaces]),
                           normalizers.Replace(Regex(r"\s+"), "▁")):
            made = self.characters(normalizer=normalizer, added=[AddedToken("world", rstrip=True)])
            self.compare_made(made)
            self.compare_made(made, byte_fallback=False)
            self.compare_made(made, byte_fallback=False, fuse_unk=False)
            self.compare_made(made, byte_fallback=False, unk_token=None)
            self.compare_made(made, ignore_merges=True)

    def test_metaspace(self):
        for scheme in ("always", "first", "never"):
            for split in (False, True):
                with self.subTest(scheme=scheme, split=split):
                    self.compare_made(self.characters(
                        pre_tokenizers.Metaspace(prepend_scheme=scheme, split=split),
                        added=[AddedToken("<|im_end|>", special=True)]))

    def test_gemma_splits(self):
        self.compare_made(self.characters(
            pre_tokenizers.Split(" ", "merged_with_previous"), normalizers.Replace(" ", "▁"),
            added=["\n", "\n\n", "\n\n\n", "▁▁", "▁▁▁"],
            decoder=decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(),
                                       decoders.Fuse()])))

    def test_llama2_and_mistral_in_all_their_forms(self):
        undo = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(),
                                  decoders.Fuse(), decoders.Strip(" ", 1, 0)])
        prepend = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
        added = [AddedToken("[INST]", special=True), AddedToken("</s>", special=True),
                 AddedToken("<tool>", normalized=False)]
        self.compare_made(self.characters(normalizer=prepend, decoder=undo, added=added))
        for scheme in ("always", "first", "never"):
            for split in (False, True):
                with self.subTest(scheme=scheme, split=split):
                    space = {"prepend_scheme": scheme, "split": split}
                    self.compare_made(self.characters(
                        pre_tokenizers.Metaspace(**space), added=added,
                        decoder=decoders.Metaspace(**space)))
                    self.compare_made(self.characters(
                        pre_tokenizers.Metaspace(**space), added=added, decoder=undo))

    def test_merges_may_be_pairs_or_strings(self):
        made = self.byte_level(pre_tokenizers.Split(Regex(QWEN2), "isolated"),
                               pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False))
        merges = json.loads(made.to_str())["model"]["merges"]
        self.assertIsInstance(merges[0], list)
        self.compare_made(made, merges=[" ".join(pair) for pair in merges])

    def test_normalizers(self):
        spaces = normalizers.Replace(" ", "▁")
        for normalizer in (normalizers.NFD(), normalizers.NFKC(), normalizers.NFKD(),
                           normalizers.Lowercase(), normalizers.Strip(),
                           normalizers.Strip(left=False), normalizers.Strip(right=False),
                           normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase(),
                                                 normalizers.Strip(), normalizers.Prepend("▁")])):
            with self.subTest(normalizer=str(normalizer)):
                self.compare_made(self.byte_level(
                    pre_tokenizers.ByteLevel(add_prefix_space=False), normalizer=normalizer))
                self.compare_made(self.characters(
                    normalizer=normalizers.Sequence([normalizer, spaces])))

    def test_every_character_in_every_normal_form(self):
        characters = [chr(c) for c in range(1, 0x110000) if not 0xD800 <= c <= 0xDFFF]
        lines = ["x".join(characters[at:at + 997]) for at in range(0, len(characters), 997)]
        rng = random.Random(3)
        marks = [c for c in characters if unicodedata.category(c) in ("Mn", "Mc", "Lm")]
        decomposed = [c for c in characters if unicodedata.decomposition(c)]
        lines += ["".join(rng.choice(rng.choice((marks, decomposed, characters)))
                          for _ in range(40)) for _ in range(2000)]
        for normalizer in (normalizers.NFC(), normalizers.NFD(), normalizers.NFKC(),
                           normalizers.NFKD(), normalizers.Lowercase()):
            with self.subTest(normalizer=str(normalizer)):
                made = self.byte_level(pre_tokenizers.ByteLevel(use_regex=False),
                                       normalizer=normalizer)
                self.compare_made(made, lines=lines)

    def test_added_tokens_in_every_combination_of_flags(self):
        flags = ("lstrip", "rstrip", "single_word", "normalized", "special")
        added = [AddedToken(f"<É{number}>" if number % 2 else f"Wort{number}",
                            **dict(zip(flags, chosen, strict=True)))
                 for number, chosen in enumerate(itertools.product((False, True), repeat=5))]
        added += [AddedToken("Wort1", normalized=False), AddedToken("É", single_word=True)]
        rng = random.Random(32)
        parts = [*(token.content for token in added), " ", "  ", "\n", "\t", "a", "Ж", "_", "-",
                 "E\u0301", "<", "\u200b"]
        lines = ["".join(rng.choice(parts) for _ in range(rng.randrange(1, 9)))
                 for _ in range(1500)]
        for normalizer in (None, normalizers.NFC(), normalizers.NFD(), normalizers.Lowercase(),
                           normalizers.Strip()):
            with self.subTest(normalizer=str(normalizer)):
                self.compare_made(self.byte_level(
                    pre_tokenizers.ByteLevel(add_prefix_space=False), added=added,
                    normalizer=normalizer), lines=lines)
        spaces = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
        self.compare_made(self.characters(normalizer=spaces, added=added), lines=lines)
        self.compare_made(self.characters(pre_tokenizers.Metaspace(prepend_scheme="first"),
                                          added=added), lines=lines)

    def test_long_texts_without_spaces(self):
        rng = random.Random(4)
        letters = "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(200_000))
        han = "".join(chr(rng.randrange(0x4E00, 0x9FFF)) for _ in range(50_000))
        lines = [letters, han, "a" * 300_000, "-" * 100_001, "\u0301" * 50_000]
        self.compare_made(self.byte_level(
            pre_tokenizers.Split(Regex(LLAMA3), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)), lines=lines)
        self.compare_made(self.characters(normalizer=normalizers.Replace(" ", "▁")), lines=lines)


if __name__ == "__main__":
    unittest.main()
