"""Writes the 108 example domains: `<name>.yaml` and `data/<name>/{train,validation,test}.jsonl`.

    python domains/make_domains.py        same bytes at every run
"""

import json
import shutil
from pathlib import Path
from random import Random

from skills import (abbreviations, alarms, almanac, catalogues, clocks, commands, dates, faults, languages, letters, lists, names,
                    numerals, orders, plurals, rosters, routing, units)
from skills.domain import Domain

HERE = Path(__file__).resolve().parent
FAMILIES = (abbreviations, alarms, almanac, catalogues, clocks, commands, dates, faults, languages, letters, lists, names,
            numerals, orders, plurals, rosters, routing, units)
TRAIN, VALIDATION, TEST = 240, 12, 104

SPECIFICATION = """\
domain: {name}
description: "{description}"
base: mozgach/tiny
labels: {{example: "true", family: {family}}}
data:
  train: data/{name}/train.jsonl
  validation: data/{name}/validation.jsonl
  test: data/{name}/test.jsonl
  max_length: 256
lora: {{r: 16, lora_alpha: 32}}
training:
  max_steps: {steps}
  per_device_train_batch_size: 2
  learning_rate: {rate}
  lr_scheduler_type: linear
  warmup_steps: 10
evaluation: {{metrics: [exact_match], max_new_tokens: 40}}
"""


def rows(domain: Domain) -> dict[str, list[tuple[str, str]]]:
    """Rows of each file; no question is asked twice anywhere."""
    rng, asked, drawn = Random(f"rows {domain.name}"), set(), {}
    for part, count in (("train", TRAIN), ("validation", VALIDATION), ("test", TEST)):
        drawn[part] = []
        while len(drawn[part]) < count:
            question, answer = domain.skill.draw(rng, held_out=part != "train")
            if question not in asked:
                asked.add(question)
                drawn[part].append((question, answer))
    return drawn


def write(domain: Domain) -> None:
    folder = HERE / "data" / domain.name
    folder.mkdir(parents=True)
    for part, pairs in rows(domain).items():
        lines = [json.dumps({"instruction": question, "output": answer}, separators=(",", ":")) + "\n" for question, answer in pairs]
        (folder / f"{part}.jsonl").write_text("".join(lines))
    specification = SPECIFICATION.format(name=domain.name, description=domain.description, family=domain.family, steps=domain.steps,
                                         rate=domain.rate)
    (HERE / f"{domain.name}.yaml").write_text(specification)


def main() -> None:
    shutil.rmtree(HERE / "data", ignore_errors=True)
    for old in HERE.glob("*.yaml"):
        old.unlink()
    made = [domain for family in FAMILIES for domain in family.domains()]
    for domain in made:
        write(domain)
    print(f"{len(made)} domains")


if __name__ == "__main__":
    main()
