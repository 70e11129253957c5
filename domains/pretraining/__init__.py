"""How the embedded base comes about: what it reads, its tokenizer, its shape and its training."""
