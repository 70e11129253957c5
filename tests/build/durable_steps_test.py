"""Every durable step of scheduler, registry, worker and trainer is a failpoint, and each has a name of its own."""

import os
import pathlib
import re
import unittest

SOURCE = pathlib.Path(os.environ.get("MOZGACH_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
FOLDERS = ("registry", "scheduler", "worker", "trainer")
STEP = re.compile(r"\b(transaction\.Commit|RenameDurably|WriteFileAtomically|SyncFile|SyncDirectory|"
                  r"WriteSafetensors|(?:::)?(?:rename|fsync|fdatasync|link|symlink))\(")
NAMED = re.compile(r'\b(?:DURABLE|COMMIT)\(\s*"([^"]*)"')
NAME = re.compile(r"(registry|scheduler|worker|trainer)\.[a-z_]+\.[a-z_]+")

# Calls within a step that has its name where it is called, and one that undoes.
WITHIN = {
    ("registry/blob_upload.cc", "rename"): 2,  # registry.blob.seclude, and back when it cannot be checked
    ("registry/blob_upload.cc", "fsync"): 1,   # registry.blob.check
    ("registry/blob_store.cc", "RenameDurably"): 1,     # registry.blob.complete
    ("registry/log_sync.cc", "fdatasync"): 1,         # registry.database.sync, both
    ("registry/log_sync.cc", "SyncDirectory"): 1,
    ("registry/version_files.cc", "SyncFile"): 1,       # registry.version.place_file
    ("registry/version_files.cc", "link"): 1,         # registry.version.place_file
    ("registry/version_files.cc", "SyncDirectory"): 1,  # registry.version.sync_staging
    ("registry/version_files.cc", "symlink"): 1,      # registry.alias.link makes it seen
    ("worker/transfer/blob_fetch.cc", "fsync"): 1,             # worker.blob.sync
    ("worker/transfer/checkpoint_handover.cc", "link"): 1,       # where it is read from, for as long as that takes
    ("scheduler/jobs/attempt_log.cc", "::rename"): 1,      # logs are not synced
    ("scheduler/upkeep/file_copy.cc", "link"): 1,            # scheduler.backup.sync_names
    ("scheduler/upkeep/write_watch.cc", "fsync"): 1,         # a file without meaning, to see whether it can be written
    ("trainer/checkpoint/safetensors_writer.cc", "WriteSafetensors"): 1,    # the definition
    ("trainer/checkpoint/safetensors_writer.cc", "WriteFileAtomically"): 1,
    ("trainer/commands/score_command.cc", "WriteSafetensors"): 1,  # what a person asked for, on a terminal
    ("trainer/checkpoint/safetensors_stream.cc", "fsync"): 1,  # trainer.quantized_weights.sync
}


def sources():
    return sorted(path for folder in FOLDERS for path in (SOURCE / folder).rglob("*.cc"))


def without_comments(text):
    return re.sub(r"//[^\n]*", "", text)


def unnamed(text):
    """The steps that do not stand in a DURABLE or COMMIT."""
    spans = []
    for start in re.finditer(r"\b(?:DURABLE|COMMIT)\(", text):
        depth, end = 0, start.end() - 1
        while True:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            if depth == 0:
                break
            end += 1
        spans.append((start.start(), end))
    return [found[1] for found in STEP.finditer(text)
            if not any(first < found.start() < last for first, last in spans)]


class DurableStepsTest(unittest.TestCase):
    def test_none_is_without_a_name(self):
        left = {}
        for path in sources():
            name = str(path.relative_to(SOURCE))
            for step in unnamed(without_comments(path.read_text())):
                left[name, step] = left.get((name, step), 0) + 1
        self.assertEqual({step: count for step, count in left.items() if count > WITHIN.get(step, 0)}, {},
                         "wrap it: DURABLE(\"library.noun.verb\", …) of failpoint/failpoint.h")

    def test_names_are_unique_and_say_where(self):
        names = [name for path in sources() for name in NAMED.findall(path.read_text())]
        self.assertGreater(len(names), 40)
        self.assertEqual([name for name in names if not NAME.fullmatch(name)], [])
        self.assertEqual(sorted(name for name in set(names) if names.count(name) > 1), [])

    def test_a_step_without_a_name_is_found(self):
        bare = 'RETURN_IF_ERROR(RenameDurably(a, b)); return DURABLE("x.y.z", SyncFile(p(q)));'
        self.assertEqual(unnamed(bare), ["RenameDurably"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
