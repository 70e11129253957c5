"""Bad input gets a clear answer, and nothing of it is half done."""

import json
import pathlib
import shutil
import struct
import unittest

from fleet import DOMAINS, Fleet, example_domains, small_domain, wait_until


class BadSubmitTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(workers=0).__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.fleet.__exit__(None)

    def refused(self, *files):
        """What mozgachctl says; checks that it left with 2 and queued nothing."""
        out, err = self.fleet.ctl("submit", *files, expect=2)
        self.assertEqual(self.fleet.ask("ps", "--all"), [])
        return out + err

    def good(self, name="good"):
        return small_domain(self.fleet.root, name, example_domains(1)[0])

    def test_a_typo_is_named_with_its_place_and_the_nearest_key(self):
        path = self.fleet.root / "law.yaml"
        path.write_text(
            "domain: law\nbase: mozgach/tiny\ndata: {train: rows.jsonl}\nlora:\n  r: 4\ntraining:\n"
            "  lerning_rate: 1.0e-4\n")
        (self.fleet.root / "rows.jsonl").write_text('{"instruction": "a", "output": "b"}\n')
        said = self.refused(self.good(), path)
        self.assertIn(f"{path}:7:3: unknown key 'lerning_rate', did you mean 'learning_rate'?", said)

    def test_wrong_types_and_ranges_name_file_line_and_what_is_right(self):
        bad = small_domain(self.fleet.root, "ranges", example_domains(1)[0], lora={"r": 0},
                           training={"learning_rate": "fast", "max_steps": 20})
        said = self.refused(bad)
        self.assertRegex(said, r"ranges\.yaml:\d+:\d+: .*r")
        self.assertRegex(said, r"ranges\.yaml:\d+:\d+: .*learning_rate")

    def test_a_missing_dataset_is_named(self):
        bad = small_domain(self.fleet.root, "missing", example_domains(1)[0], data={"train": "none.jsonl"})
        self.assertIn("none.jsonl", self.refused(self.good(), bad))

    def test_rows_that_are_no_json_or_have_no_target_are_named_by_line(self):
        rows = self.fleet.root / "broken.jsonl"
        rows.write_text('{"instruction": "a", "output": "b"}\n{"instruction": "a"\n{"instruction": "a"}\n')
        bad = small_domain(self.fleet.root, "rows", example_domains(1)[0], data={"train": str(rows)})
        said = self.refused(bad)
        self.assertIn("broken.jsonl:2", said)
        self.assertIn("broken.jsonl:3", said)
        self.assertIn("output", said)

    def test_a_domain_that_comes_twice_names_both_files(self):
        first = self.good("twice")
        second = self.fleet.root / "again.yaml"
        shutil.copy(first, second)
        said = self.refused(first, second)
        self.assertIn("twice.yaml", said)
        self.assertIn("again.yaml", said)

    def test_a_key_of_a_later_version_is_an_error_that_says_so(self):
        bad = small_domain(self.fleet.root, "later", example_domains(1)[0], lora={"bias": "all"})
        self.assertIn("not supported yet", self.refused(bad))


class BadBaseTest(unittest.TestCase):
    def setUp(self):
        self.root = None

    def broken_base(self, bases, name, damage):
        folder = bases / "broken" / name
        shutil.copytree(DOMAINS / "bases/mozgach/tiny", folder)
        for file in folder.iterdir():
            file.chmod(0o644)
        damage(folder)
        return f"broken/{name}"

    def test_broken_bases_fail_with_the_reason_and_the_next_job_runs(self):
        def cut_off(folder):
            weights = folder / "model.safetensors"
            weights.write_bytes(weights.read_bytes()[:-1000])

        def cut_header(folder):
            (folder / "model.safetensors").write_bytes(struct.pack("<Q", 10**12) + b"{}")

        def wrong_shape(folder):
            config = json.loads((folder / "config.json").read_text())
            config["intermediate_size"] *= 2
            (folder / "config.json").write_text(json.dumps(config))

        damages = {"cut-off": cut_off, "cut-header": cut_header, "wrong-shape": wrong_shape}
        with Fleet(workers=0) as fleet:
            bases = fleet.root / "bases"
            shutil.copytree(DOMAINS / "bases/mozgach", bases / "mozgach")
            files = []
            for name, damage in damages.items():
                base = self.broken_base(bases, name, damage)
                files.append(small_domain(fleet.root, name, example_domains(1)[0], base=base, priority=90))
            files.append(small_domain(fleet.root, "diverges", example_domains(1)[0], priority=80,
                                      training={"learning_rate": 1.0, "max_grad_norm": 0, "max_steps": 200}))
            files.append(small_domain(fleet.root, "good", example_domains(1)[0]))
            fleet.bases = (bases,)
            fleet.start_worker("worker1")
            fleet.ctl("submit", "--wait", *files, expect=1)
            jobs = fleet.jobs()
            self.assertEqual(jobs["good"]["state"], "succeeded", jobs["good"]["reason"])
            for name in damages:
                self.assertEqual(jobs[name]["state"], "failed")
            self.assertIn("model.safetensors", jobs["cut-off"]["reason"])
            self.assertIn("model.safetensors", jobs["cut-header"]["reason"])
            self.assertRegex(jobs["wrong-shape"]["reason"], r"gate_proj|up_proj|down_proj")
            self.assertEqual({v["domain"] for v in fleet.versions()},
                             {name for name, job in jobs.items() if job["state"] == "succeeded"})

    def test_a_base_nobody_has_waits_and_explain_says_who_was_asked(self):
        with Fleet(workers=1) as fleet:
            wait_until(lambda: fleet.ask("workers"), 20, "the worker")
            waits = small_domain(fleet.root, "waits", example_domains(1)[0], base="Qwen/Qwen2.5-3B")
            fleet.ctl("submit", waits)
            self.assertEqual(fleet.jobs()["waits"]["state"], "queued")
            said, _ = fleet.ctl("explain", "waits")
            self.assertIn("worker1", said)
            self.assertIn("Qwen/Qwen2.5-3B", said)
            fleet.ctl("cancel", "waits")
            self.assertEqual(fleet.jobs()["waits"]["state"], "cancelled")
            fleet.ctl("retry", "waits")
            self.assertEqual(fleet.jobs()["waits"]["state"], "queued")


if __name__ == "__main__":
    unittest.main(verbosity=2)
