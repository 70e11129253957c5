"""Checks the examples and the embedded base against what is promised of them; needs nothing but Python.

    python domains/check.py
"""

import hashlib
import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
BASE = HERE / "bases/mozgach/tiny"
DOMAINS, LEAST_TEST_ROWS = 108, 100
MOST_DOMAIN_BYTES, MOST_BASE_BYTES = 4_000_000, 16_000_000
PARTS = ("train", "validation", "test")
LOOKED_UP = {"almanac", "catalogues", "faults", "rosters"}


def asked(path: Path) -> list[tuple[str, str]]:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [(row["instruction"], row["output"]) for row in rows]


def wording(question: str) -> str:
    """The question without names and numbers."""
    return " ".join(word for word in re.findall(r"[\w-]+", question) if word.islower())


def domain_faults(file: Path) -> list[str]:
    text, name = file.read_text(), file.stem
    faults = []
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,62}", name) or f"domain: {name}\n" not in text:
        faults.append("its name is not that of its file, or not a name")
    rows = {part: asked(HERE / "data" / name / f"{part}.jsonl") for part in PARTS}
    questions = {part: {question for question, _ in pairs} for part, pairs in rows.items()}
    if any(len(questions[part]) < len(rows[part]) for part in PARTS):
        faults.append("a question occurs twice in one file")
    if questions["train"] & questions["test"] or questions["train"] & questions["validation"] or questions["test"] & questions["validation"]:
        faults.append("a question occurs in two files")
    if len(rows["test"]) < LEAST_TEST_ROWS:
        faults.append(f"{len(rows['test'])} test rows")
    if any(not question.strip() or answer != answer.strip() or not answer for pairs in rows.values() for question, answer in pairs):
        faults.append("an empty question or answer, or white space round an answer")
    if re.search(r"family: (\w+)", text)[1] in LOOKED_UP:
        if {wording(q) for q in questions["train"]} & {wording(q) for q in questions["test"]}:
            faults.append("a looked-up fact is tested in words it was taught in")
    return [f"{name}: {fault}" for fault in faults]


def bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main() -> int:
    files = sorted(HERE.glob("*.yaml"))
    faults = [fault for file in files for fault in domain_faults(file)]
    if len(files) != DOMAINS:
        faults.append(f"{len(files)} domains, not {DOMAINS}")
    digests = {hashlib.sha256((HERE / "data" / file.stem / "train.jsonl").read_bytes()).hexdigest() for file in files}
    if len(digests) != len(files) or {file.stem for file in files} != {path.name for path in (HERE / "data").iterdir()}:
        faults.append("two domains share their data, or data and domains do not match")
    size, base = bytes_below(HERE / "data") + sum(file.stat().st_size for file in files), bytes_below(BASE)
    if size > MOST_DOMAIN_BYTES or base > MOST_BASE_BYTES or not base:
        faults.append(f"domains take {size} bytes, the base {base}")
    print("\n".join(faults) or f"{len(files)} domains in {size} bytes, base in {base} bytes: as promised")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
