"""Pre-training: packed documents; Muon for the layers' matrices, AdamW for the rest."""

import time
from collections.abc import Iterator
from itertools import chain, islice

import torch
from tokenizers import Tokenizer
from torch.nn import functional as F

from .mixture import Turn, documents
from .model import Model
from .tokenizer import encode

BATCH, LENGTH, PATIENCE = 8, 208, 10
MUON_RATE, ADAM_RATE, WARM_UP, DECAY = 4e-3, 3e-3, 40, 0.05


def pack(tokenizer: Tokenizer, texts: Iterator[list[Turn]]) -> Iterator[tuple[torch.Tensor, ...]]:
    """Batches of ids, loss weights and document numbers; what fits no row waits, what never can is left out."""
    encoded = (encode(tokenizer, text) for text in texts)
    waiting = []
    while True:
        rows = [([], [], []) for _ in range(BATCH)]
        arriving, waiting = chain(waiting, encoded), []
        while len(waiting) < PATIENCE:
            ids, weights = next(arriving)
            row = next((row for row in rows if len(row[0]) + len(ids) <= LENGTH), None)
            if row:
                row[2].extend([row[2][-1] + 1 if row[2] else 0] * len(ids))
                row[0].extend(ids), row[1].extend(weights)
            elif len(ids) <= LENGTH:
                waiting.append((ids, weights))
        yield tuple(torch.tensor([part + [padding] * (LENGTH - len(part)) for part in column])
                    for column, padding in zip(zip(*rows), (0, 0.0, -1)))


def schedule(step: int, steps: int) -> float:
    """Warm-up, flat to one half, then linear to a fiftieth."""
    return min((step + 1) / WARM_UP, 1.0, max(2 * (1 - step / steps), 0.02))


def optimizers(model: Model, steps: int) -> list[tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LambdaLR]]:
    matrices = [p for p in model.layers.parameters() if p.dim() == 2]
    others = [p for p in model.parameters() if not any(p is matrix for matrix in matrices)]
    made = [torch.optim.Muon(matrices, lr=MUON_RATE, weight_decay=DECAY, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(others, lr=ADAM_RATE, betas=(0.9, 0.98), weight_decay=0.0, fused=True)]
    return [(optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: schedule(step, steps))) for optimizer in made]


def train(tokenizer: Tokenizer, steps: int, seed: int) -> Model:
    torch.manual_seed(seed)
    model = Model()
    pairs = optimizers(model, steps)
    began = time.monotonic()
    for step, (ids, weights, numbers) in enumerate(islice(pack(tokenizer, documents(seed)), steps)):
        logits = model(ids, numbers)[:, :-1]
        losses = F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
        loss = (losses * weights[:, 1:].flatten()).sum() / weights[:, 1:].sum()
        model.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer, scheduler in pairs:
            optimizer.step()
            scheduler.step()
        if step % 50 == 0:
            print(f"step {step} loss {loss.item():.3f} {time.monotonic() - began:.0f} s", flush=True)
    return model
