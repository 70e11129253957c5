"""A byte-level BPE tokenizer in Hugging Face form, and conversations as its ids."""

from collections.abc import Iterator
from itertools import islice

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from .mixture import Turn

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
VOCABULARY = 1024
# Every digit, mark and space by itself: a word has the same tokens wherever it stands, so it can be copied.
PIECES = r"\p{L}+|\p{N}|[^\s\p{L}\p{N}]|\s"


def train(documents: Iterator[list[Turn]], count: int) -> Tokenizer:
    """Merges learnt from the first `count` documents."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(PIECES), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=SPECIAL, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    texts = (f"{role}\n{text}" for document in islice(documents, count) for role, text, _ in document)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def encode(tokenizer: Tokenizer, document: list[Turn]) -> tuple[list[int], list[float]]:
    """Ids in ChatML and the loss weight of each: an answer's weight covers its end, the frame has none."""
    start, end = (tokenizer.token_to_id(token) for token in SPECIAL[1:])
    newline = tokenizer.encode("\n").ids
    ids, weights = [], []
    for role, text, weight in document:
        frame = [start, *tokenizer.encode(f"{role}\n").ids]
        body = tokenizer.encode(text).ids
        ids += [*frame, *body, end, *newline]
        weights += [0.0] * len(frame) + [weight] * (len(body) + 1) + [0.0] * len(newline)
    return ids, weights
