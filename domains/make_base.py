"""Makes the embedded base `bases/mozgach/tiny`: tokenizer, pre-training, export.

    python domains/make_base.py --steps 3000        on one thread
"""

import argparse
from pathlib import Path

import torch

from pretraining import mixture, tokenizer, train
from pretraining.export import export

HERE = Path(__file__).resolve().parent


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--steps", type=int, default=3000)
    arguments.add_argument("--seed", type=int, default=108)
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--output", type=Path, default=HERE / "bases/mozgach/tiny")
    chosen = arguments.parse_args()
    torch.set_num_threads(chosen.threads)
    pieces = tokenizer.train(mixture.documents(chosen.seed), count=30000)
    export(train.train(pieces, chosen.steps, chosen.seed), pieces, chosen.output)


if __name__ == "__main__":
    main()
