#!/usr/bin/env python3
"""make.py N: writes NNNN.sql beside this file, a database of schema N with rows in every table.

It is made once, when schema N is the newest, and kept as it is from then on: what the migrations up
to N made of an empty file, filled as a scheduler of that time fills it.  upgrade_test.cc takes each
of them to today's schema and goes on working with it.  The directory of the published version is
registry/; who changes what is written here changes the dumps of released schemas: don't.
"""

import hashlib
import json
import pathlib
import sqlite3
import sys

HERE = pathlib.Path(__file__).resolve().parent
MIGRATIONS = HERE.parents[2] / "scheduler" / "sql"
TIME = 1_700_000_000_000
ROWS = hashlib.sha256(b"rows").hexdigest()
CONFIG = '{"model_type": "llama", "hidden_size": 64}'


def spec(domain):
    return json.dumps({"domain": domain, "base": "mozgach/tiny", "data": {"train": ["train.jsonl"]}})


def version_files(job, attempt):
    """The files of the one version, and its rows: written to registry/ where they are not yet."""
    directory = HERE / "registry" / "adapters" / "law" / "v0001"
    files = {
        "adapter_config.json": b'{"r": 8}',
        "adapter_model.safetensors": b"tensors",
        "metrics.json": b'{\n  "adapter": {\n    "eval_loss": 1.0\n  }\n}\n',
    }
    listed = {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        for name, data in sorted(files.items())
    }
    manifest = {
        "attempt": attempt, "base": "mozgach/tiny", "base_digest": "base-digest",
        "code_version": "0.1.0", "dataset_digest": "dataset of law", "domain": "law",
        "files": listed, "job": job, "published_at": "2023-11-14T22:13:20.000Z",
        "spec_digest": "spec of law", "version": "v0001",
    }
    files["manifest.json"] = (json.dumps(manifest, indent=2, sort_keys=True) + "\n").encode()
    directory.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (directory / name).write_bytes(data)
    return [(name, hashlib.sha256(data).hexdigest(), len(data))
            for name, data in sorted(files.items())]


class Filler:
    def __init__(self, database, schema):
        self.database = database
        self.schema = schema
        self.columns = {}

    def insert(self, table, **values):
        names = ", ".join(values)
        marks = ", ".join("?" for _ in values)
        cursor = self.database.execute(
            f"INSERT INTO {table} ({names}) VALUES ({marks})", list(values.values()))
        return cursor.lastrowid

    def job(self, domain, state, attempt=0, **more):
        ended = state in ("succeeded", "failed", "cancelled")
        if self.schema >= 4:
            more["shape"] = 1
        number = self.insert(
            "jobs", domain=domain, state=state, base="mozgach/tiny", base_key="mozgach/tiny",
            priority=50, ready=1, attempt=attempt, spec_digest=f"spec of {domain}",
            dataset_digest=f"dataset of {domain}", created_ms=TIME, queued_ms=TIME,
            started_ms=TIME + 1000 if attempt else 0, finished_ms=TIME + 9000 if ended else 0, **more)
        self.insert("job_details", job=number, spec_json=spec(domain))
        self.insert("job_datasets", job=number, position=0, role=1, name="train.jsonl", sha256=ROWS,
                    size=4)
        self.database.execute(
            "INSERT OR REPLACE INTO domains (domain, latest_job) VALUES (?, ?)", (domain, number))
        self.event(number, domain, 0, "submitted", "ann@desk", "new")
        return number

    def event(self, job, domain, attempt, kind, actor, message):
        self.insert("events", time_ms=TIME, job=job, domain=domain, attempt=attempt, kind=kind,
                    actor=actor, message=message)

    def attempt(self, job, domain, number, state, **more):
        self.insert("attempts", job=job, attempt=number, worker="alpha", device="cpu", state=state,
                    started_ms=TIME + 1000, loss=1.5, step=10, steps=20, **more)
        self.event(job, domain, number, "claimed", "alpha", "")

    def lease(self, job, attempt):
        placed = {"device": "cpu", "memory_pool": "host", "reserved_bytes": 100}
        self.insert("leases", job=job, attempt=attempt, worker="alpha", incarnation="first",
                    **{"trains_since_ms" if self.schema >= 9 else "granted_ms": TIME + 1000},
                    **(placed if self.schema >= 4 else {}))

    def published(self):
        job = self.job("law", "succeeded", attempt=2, version=1)
        self.attempt(job, "law", 1, "failed", ended_ms=TIME + 2000, **{"class": "out_of_memory"})
        self.event(job, "law", 1, "requeued", "scheduler", "")
        self.attempt(job, "law", 2, "succeeded", ended_ms=TIME + 9000)
        self.event(job, "law", 2, "published", "scheduler", "v0001")
        files = version_files(job, 2)
        self.insert("version_numbers", domain="law", last=1)
        self.version("law", 1, "published", job, 2, sum(size for _, _, size in files))
        for path, sha256, size in files:
            self.insert("version_files", domain="law", number=1, path=path, sha256=sha256, size=size)
        for alias in ("latest", "champion"):
            self.insert("aliases", domain="law", alias=alias, number=1)

    def version(self, domain, number, state, job, attempt, size):
        self.insert("versions", domain=domain, number=number, state=state, job=job, attempt=attempt,
                    base="mozgach/tiny", base_digest="base-digest", spec_digest=f"spec of {domain}",
                    dataset_digest=f"dataset of {domain}", code_version="0.1.0",
                    metrics_json='{"adapter": {"eval_loss": 1.0}}', published_at_ms=TIME,
                    size_bytes=size)

    def half_published(self):
        """Its staged files are lost: it is trained again."""
        job = self.job("music", "running", attempt=1)
        self.attempt(job, "music", 1, "publishing")
        self.insert("version_numbers", domain="music", last=1)
        self.version("music", 1, "publishing", job, 1, 7)
        self.insert("version_files", domain="music", number=1, path="adapter_model.safetensors",
                    sha256=hashlib.sha256(b"lost").hexdigest(), size=4)

    def fill(self):
        if self.schema >= 4:
            self.insert("shapes", shape=1, base="mozgach/tiny", base_key="mozgach/tiny",
                        settings="", settings_digest="", stepped_down=0)
        self.published()
        self.job("history", "queued")
        running = self.job("tax", "running", attempt=1)
        self.attempt(running, "tax", 1, "running")
        self.lease(running, 1)
        self.half_published()
        failed = self.job("art", "failed", attempt=1, failure_class="data", reason="row 3: no text")
        self.attempt(failed, "art", 1, "failed", ended_ms=TIME + 9000, message="row 3: no text",
                     **{"class": "data"})
        self.event(failed, "art", 1, "failed", "scheduler", "row 3: no text")
        cancelled = self.job("chess", "cancelled", reason="cancelled by ann@desk")
        self.event(cancelled, "chess", 0, "cancelled", "ann@desk", "")
        waiting = self.job("opera", "queued", retry_of=cancelled)
        self.database.execute(
            "UPDATE jobs SET ready = 0, not_before_ms = ?, disturbances = 1 WHERE job = ?",
            (TIME + 5000, waiting))
        self.insert("workers", worker="alpha", incarnation="first", version="0.1.0", bases_json="[]",
                    first_call_ms=TIME, last_call_ms=TIME + 5000)
        self.insert("incarnations", worker="alpha", incarnation="first")
        self.fill_later_tables()

    def fill_later_tables(self):
        if self.schema >= 2:
            self.insert("bases", base="mozgach/other", digest="d" * 64, size_bytes=len(CONFIG),
                        revisions_json='["main"]', added_ms=TIME)
            self.insert("base_files", base="mozgach/other", path="config.json",
                        sha256=hashlib.sha256(CONFIG.encode()).hexdigest(), size=len(CONFIG))
        if self.schema >= 4:
            self.insert("base_configs", base="mozgach/third",
                        digest=hashlib.sha256(CONFIG.encode()).hexdigest(), worker="alpha",
                        config_json=CONFIG)
            self.insert("memory_observations", base="mozgach/tiny", device_kind="cpu",
                        planned_bytes=1000, peak_bytes=1100)
        if self.schema >= 6:
            self.insert("tokens", name="ann", role="submitter", sha256="a" * 64, created_ms=TIME,
                        created_by="root", expires_ms=0)
            self.insert("revocations", name="bob", before_ms=TIME, revoked_by="root")
        if self.schema >= 7:
            old = self.job("ballet", "succeeded", attempt=1, version=1)
            self.attempt(old, "ballet", 1, "succeeded", ended_ms=TIME + 9000)
            self.event(old, "ballet", 1, "published", "scheduler", "v0001")
            self.insert("version_numbers", domain="ballet", last=1)
            self.insert("removed_versions", domain="ballet", number=1, job=old, attempt=1,
                        removed_ms=TIME + 9500, files_gone=1)
            newer = self.job("ballet", "cancelled", reason="cancelled by ann@desk")
            self.event(newer, "ballet", 0, "cancelled", "ann@desk", "")
        if self.schema >= 8:
            self.insert("job_checkpoints", job=3, attempt=1, step=10)
            self.insert("job_checkpoint_files", job=3, path="checkpoint.json", sha256=ROWS, size=4)


def check_all_filled(database):
    tables = [name for (name,) in database.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
    empty = [name for name in tables
             if database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] == 0]
    if empty:
        sys.exit(f"no rows in {', '.join(empty)}: fill them in Filler")


def main():
    schema = int(sys.argv[1])
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.execute("PRAGMA foreign_keys = ON")
    for path in sorted(MIGRATIONS.glob("[0-9]*.sql")):
        if int(path.name.split("_")[0]) <= schema:
            database.executescript(path.read_text())
    Filler(database, schema).fill()
    check_all_filled(database)
    lines = [f"-- A database of schema {schema}, by make.py.", "PRAGMA foreign_keys = OFF;"]
    lines += list(database.iterdump()) + [f"PRAGMA user_version = {schema};", "PRAGMA foreign_keys = ON;"]
    (HERE / f"{schema:04d}.sql").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
