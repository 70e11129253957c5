"""A base comes to a worker that has none: added once, fetched by digest, kept, checked, resumed."""

import json
import os
import pathlib
import shutil
import struct
import unittest

from fleet import DOMAINS, Fleet, example_domains, small_domain, wait_until

TINY = DOMAINS / "bases/mozgach/tiny"
NAME = "mozgach/tiny"


def fetched(fleet, worker="worker1"):
    """The directories of bases that are whole on the worker's disk."""
    return [path.parent / "files" for path in (fleet.root / worker / "bases").glob("*/manifest.json")]


def big_base(folder, megabytes):
    """The tiny base with one more shard of random bytes, which its model does not use."""
    shutil.copytree(TINY, folder)
    size = megabytes << 20
    header = json.dumps({"extra.weight": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    with open(folder / "extra.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        for _ in range(megabytes):
            file.write(os.urandom(1 << 20))
    # A single model.safetensors would go before the index.
    (folder / "model.safetensors").rename(folder / "weights.safetensors")
    with open(folder / "weights.safetensors", "rb") as file:
        tensors = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    weights = {name: "weights.safetensors" for name in tensors if name != "__metadata__"}
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {}, "weight_map": {**weights, "extra.weight": "extra.safetensors"}}))
    return folder


class BasesTest(unittest.TestCase):
    def setUp(self):
        self.empty = pathlib.Path(self.enterContext(Empty()))
        self.fleet = self.enterContext(Fleet(bases=(self.empty,)))

    def submit(self, name, **options):
        return small_domain(self.fleet.root, name, example_domains(1)[0], **options)

    def listed(self):
        return {base["base"]: base for base in self.fleet.ask("bases", "ls")}

    def worker_base(self):
        details = [worker["base_details"] for worker in self.fleet.ask("workers")]
        return {base["base"]: base for base in details[0]} if details else {}

    def test_a_base_that_was_added_is_fetched_once_checked_and_mended(self):
        domain = self.submit("first")
        self.fleet.ctl("submit", domain)
        wait_until(lambda: "mozgachctl bases add DIR" in self.fleet.jobs()["first"]["reason"], 20,
                   "the explanation")
        added = self.fleet.ask("bases", "add", TINY, "--name", NAME)
        self.assertEqual((added["base"], added["outcome"], added["files"]), (NAME, "new", 5))
        self.assertEqual(self.fleet.ask("bases", "add", TINY)["outcome"], "unchanged")
        wait_until(lambda: self.fleet.jobs()["first"]["state"] == "succeeded", 120, "the first job")
        base = wait_until(lambda: self.worker_base().get(NAME), 20, "the worker to have it")
        self.assertTrue(base["fetched"])
        self.assertEqual(base["digest"], added["digest"])
        self.assertEqual(base["size_bytes"], added["size_bytes"])
        self.assertEqual((self.listed()[NAME]["workers"], self.listed()[NAME]["loaded"]),
                         (["worker1"], ["worker1"]))
        files = fetched(self.fleet)
        self.assertEqual(len(files), 1)
        for path in files[0].iterdir():
            self.assertEqual(path.read_bytes(), (TINY / path.name).read_bytes(), path.name)
        self.assertNotIn("README.md", {path.name for path in files[0].iterdir()})

        # A second start fetches nothing.
        before = (files[0] / "model.safetensors").stat()
        self.fleet.workers["worker1"].stop()
        self.fleet.start_worker("worker1")
        self.fleet.ctl("submit", "--wait", self.submit("second"))
        after = (files[0] / "model.safetensors").stat()
        self.assertEqual((before.st_ino, before.st_mtime_ns), (after.st_ino, after.st_mtime_ns))
        self.assertNotIn("fetching the base", self.fleet.ctl("logs", "second")[0])

        # A damaged file is noticed, and only it is fetched again.
        self.fleet.workers["worker1"].stop()
        with open(files[0] / "model.safetensors", "r+b") as file:
            file.seek(-1, 2)
            last = file.read(1)
            file.seek(-1, 2)
            file.write(bytes([last[0] ^ 1]))
        self.fleet.start_worker("worker1")
        self.fleet.ctl("submit", "--wait", self.submit("third"))
        self.assertIn("fetching the base", self.fleet.ctl("logs", "third")[0])
        self.assertEqual((files[0] / "model.safetensors").read_bytes(),
                         (TINY / "model.safetensors").read_bytes())
        log = (self.fleet.root / "worker1.log").read_text()
        self.assertIn("model.safetensors of the base mozgach/tiny is damaged", log)

    def test_a_fetch_goes_on_after_the_worker_was_killed(self):
        base = big_base(self.fleet.root / "given/big/one", 300)
        added = self.fleet.ask("bases", "add", base)
        self.assertEqual(added["base"], "big/one")
        self.fleet.ctl("submit", self.submit("law", base="big/one"))
        partial = self.fleet.root / "worker1/bases/partial"
        wait_until(lambda: sum(path.stat().st_size for path in partial.glob("*/parts/*")) > 30 << 20, 60,
                   "a part of the base")
        self.fleet.workers["worker1"].kill()
        self.assertEqual(fetched(self.fleet), [], "a part of a base is none")
        self.fleet.start_worker("worker1")
        wait_until(lambda: self.fleet.jobs()["law"]["state"] == "succeeded", 150, "the job")
        first, second = [line for line in self.fleet.ctl("logs", "law", "--attempt", "1")[0].splitlines() +
                         self.fleet.ctl("logs", "law")[0].splitlines() if "fetching the base" in line]
        here = int(second.split(" of ")[0].split()[-1])
        self.assertGreater(here, 30 << 20, second)
        self.assertEqual(len(fetched(self.fleet)), 1)

    def test_a_damaged_file_of_the_scheduler_is_named_and_adding_again_mends_it(self):
        self.fleet.ctl("bases", "add", TINY)
        self.fleet.ctl("bases", "verify")
        blobs = self.fleet.root / "scheduler/blobs"
        blob = next(path for path in blobs.glob("??/*")
                    if path.read_bytes() == (TINY / "tokenizer.json").read_bytes())
        blob.chmod(0o600)
        blob.write_bytes(blob.read_bytes()[:-1] + b"!")
        said, _ = self.fleet.ctl("bases", "verify", expect=1)
        self.assertIn("tokenizer.json", said)
        self.assertNotIn("config.json: ", said.replace("tokenizer_config.json", ""))
        self.assertEqual(self.fleet.ask("bases", "add", TINY)["uploaded_bytes"],
                         (TINY / "tokenizer.json").stat().st_size)
        self.fleet.ctl("bases", "verify")

    def test_links_that_leave_the_base_are_refused(self):
        folder = self.fleet.root / "given/a/b"
        shutil.copytree(TINY, folder)
        (folder / "chat_template.jinja").symlink_to("/etc/passwd")
        _, said = self.fleet.ctl("bases", "add", folder, expect=2)
        self.assertIn("/etc/passwd", said)
        _, said = self.fleet.ctl("bases", "add", TINY, "--name", "../x", expect=2)
        self.assertIn("--name", said)
        self.assertEqual(self.listed(), {})


class Empty:
    """A folder without bases."""

    def __enter__(self):
        import tempfile
        self.path = tempfile.mkdtemp(prefix="mozgach-e2e-bases-")
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


if __name__ == "__main__":
    unittest.main(verbosity=2)
