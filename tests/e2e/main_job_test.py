"""The main job, end to end: submit, train one after another on a base loaded once, publish."""

import hashlib
import json
import pathlib
import unittest

from fleet import Fleet, example_domains, small_domain


class MainJobTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet().__enter__()
        cls.files = [small_domain(cls.fleet.root, f"small-{name}"[:60], name) for name in example_domains(3)]
        cls.first = cls.fleet.ask("submit", "--wait", *cls.files)

    @classmethod
    def tearDownClass(cls):
        cls.fleet.__exit__(None)

    def test_every_domain_is_published_once_and_the_base_is_loaded_once(self):
        self.assertEqual({job["state"] for job in self.fleet.jobs().values()}, {"succeeded"})
        self.assertEqual([v["version"] for v in self.fleet.versions()], ["v0001"] * 3)
        self.assertEqual([worker["base_loads"] for worker in self.fleet.ask("workers")], [1])

    def test_resubmitting_is_unchanged_and_a_change_makes_a_second_version(self):
        outcomes, _ = self.fleet.ctl("submit", *self.files[1:])
        self.assertEqual(outcomes.count("unchanged"), 2)
        changed = small_domain(self.fleet.root, self.files[0].stem, example_domains(1)[0], lora={"r": 4})
        self.fleet.ctl("submit", "--wait", changed)
        versions = [v for v in self.fleet.versions() if v["domain"] == changed.stem]
        self.assertEqual([v["version"] for v in versions], ["v0001", "v0002"])
        self.assertEqual([v["aliases"] for v in versions], [[], ["latest"]])

    def test_a_version_holds_what_its_manifest_says_and_its_alias_is_a_link_inside_the_tree(self):
        version = next(v for v in self.fleet.versions() if v["domain"] == self.files[1].stem)
        path = pathlib.Path(version["path"])
        manifest = json.loads((path / "manifest.json").read_text())
        for name, entry in manifest["files"].items() if isinstance(manifest["files"], dict) else (
                (entry["path"], entry) for entry in manifest["files"]):
            data = (path / name).read_bytes()
            self.assertEqual(hashlib.sha256(data).hexdigest(), entry["sha256"], name)
            self.assertEqual(len(data), entry["size"], name)
            self.assertEqual((path / name).stat().st_mode & 0o222, 0, f"{name} can be written")
        self.assertIn("adapter_model.safetensors", {p.name for p in path.iterdir()})
        latest = path.parent / "latest"
        self.assertTrue(latest.is_symlink())
        self.assertEqual(latest.readlink(), pathlib.Path("v0001"))
        self.assertIn("exact_match", json.loads((path / "metrics.json").read_text())["adapter"])

    def test_pulled_adapter_is_the_published_one(self):
        domain = self.files[2].stem
        target = self.fleet.root / "pulled"
        self.fleet.ctl("adapters", "pull", domain, "--output", target)
        version = next(v for v in self.fleet.versions() if v["domain"] == domain)
        root = pathlib.Path(version["path"])
        published = sorted(path.relative_to(root) for path in root.rglob("*") if path.is_file())
        self.assertIn(pathlib.Path("mlx/adapters.safetensors"), published)
        for name in published:
            self.assertEqual((target / name).read_bytes(), (root / name).read_bytes())

    def test_verify_finds_a_flipped_byte(self):
        version = next(v for v in self.fleet.versions() if v["domain"] == self.files[2].stem)
        self.fleet.ctl("adapters", "verify")
        weights = pathlib.Path(version["path"]) / "adapter_model.safetensors"
        data = bytearray(weights.read_bytes())
        weights.chmod(0o644)
        try:
            weights.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
            out, err = self.fleet.ctl("adapters", "verify", expect=1)
            self.assertIn("adapter_model.safetensors", out + err)
        finally:
            weights.write_bytes(data)
            weights.chmod(0o444)

    def test_the_log_tells_the_training(self):
        out, _ = self.fleet.ctl("logs", self.files[1].stem)
        self.assertIn("step", out)


if __name__ == "__main__":
    unittest.main(verbosity=2)
