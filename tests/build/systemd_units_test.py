"""The systemd units: they name options that exist, verify, and leave little of the host open; deploy/backup keeps the
newest backups."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ.get("MOZGACH_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
BIN = pathlib.Path(os.environ.get("MOZGACH_BUILD_DIR", SOURCE / "build")) / "bin"
UNITS = sorted((SOURCE / "deploy/systemd").iterdir())
SERVICES = [path for path in UNITS if path.suffix == ".service"]
EXPOSURE_MAX = 4.0


def settings(path):
    """{section: {key: [values]}}"""
    found, section = {}, None
    for line in path.read_text().splitlines():
        if not line or line[0] in "#;":
            continue
        if line[0] == "[":
            section = found.setdefault(line.strip("[]"), {})
            continue
        key, value = line.split("=", 1)
        section.setdefault(key, []).append(value)
    return found


def systemd_analyze(*words):
    """None where the program is absent or does not know the command."""
    if shutil.which("systemd-analyze") is None:
        return None
    done = subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False)
    return None if re.search(r"[Uu]nknown|unrecognized option", done.stderr) else done


class UnitsTest(unittest.TestCase):
    def test_all_are_there(self):
        self.assertEqual([path.name for path in UNITS],
                         ["mozgach-backup.service", "mozgach-backup.timer", "mozgach-scheduler.service",
                          "mozgach-worker.service"])

    def test_state_is_private_to_a_user_without_rights(self):
        for path in SERVICES:
            with self.subTest(unit=path.name):
                service = settings(path)["Service"]
                self.assertEqual(service["User"], ["mozgach"])
                self.assertEqual(service["StateDirectoryMode"], ["0700"])
                self.assertEqual(service["UMask"], ["0077"])
                self.assertEqual(service["CapabilityBoundingSet"], [""])
                self.assertEqual(service["NoNewPrivileges"], ["yes"])
                self.assertEqual(service["ProtectSystem"], ["strict"])
                folders = {"/var/lib/" + name for name in service["StateDirectory"][0].split()}
                words = service["ExecStart"][0].split()
                for option in ("--data", "--output"):
                    if option in words:
                        self.assertIn(words[words.index(option) + 1], folders)

    def test_worker_reaches_gpus(self):
        service = settings(SOURCE / "deploy/systemd/mozgach-worker.service")["Service"]
        for key in ("PrivateDevices", "DevicePolicy", "DeviceAllow", "MemoryDenyWriteExecute", "ProcSubset"):
            self.assertNotIn(key, service)

    def test_options_exist(self):
        for path in SERVICES:
            words = settings(path)["Service"]["ExecStart"][0].split()
            program = words[0].rsplit("/", 1)[-1]
            file = SOURCE / "deploy/backup" if program == "mozgach-backup" else BIN / program
            with self.subTest(unit=path.name):
                if not file.exists():
                    self.skipTest(f"{program} is not built")
                help_text = subprocess.run([file, "--help"], capture_output=True, text=True, check=True).stdout
                for option in (word for word in words if word.startswith("--")):
                    self.assertRegex(help_text, rf"(?<![\w-]){option}(?![\w-])")

    def test_little_of_the_host_is_open(self):
        for path in SERVICES:
            with self.subTest(unit=path.name):
                done = systemd_analyze("security", "--offline=true", str(path))
                if done is None:
                    self.skipTest("systemd-analyze cannot say")
                score = re.search(r"exposure level for \S+: (\d+(?:\.\d+)?)", done.stdout)
                self.assertIsNotNone(score, done.stdout + done.stderr)
                self.assertLessEqual(float(score[1]), EXPOSURE_MAX)

    def test_systemd_accepts_them(self):
        with tempfile.TemporaryDirectory() as folder:
            for path in UNITS:  # the programs are not installed here
                text = re.sub(r"(?m)^(Exec\w+=)([-+]*)\S+.*", r"\1\2/bin/true", path.read_text())
                (pathlib.Path(folder) / path.name).write_text(text)
            done = systemd_analyze("verify", *(str(pathlib.Path(folder) / path.name) for path in UNITS))
            if done is None:
                self.skipTest("systemd-analyze cannot say")
            self.assertEqual([line for line in done.stderr.splitlines() if "mozgach" in line], [])


class BackupTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        program = self.folder / "mozgach-scheduler"
        program.write_text('#!/bin/bash\n[ ! -e "$3/broken" ] || exit 1\nmkdir "$5" && touch "$5/backup.json"\n')
        program.chmod(0o755)
        self.data, self.output = self.folder / "data", self.folder / "out"
        self.data.mkdir()
        self.output.mkdir()

    def back_up(self, *words):
        return subprocess.run([SOURCE / "deploy/backup", *map(str, words)], capture_output=True, text=True, check=False,
                              env={**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}"})

    def make(self, name, whole=True):
        (self.output / name).mkdir()
        if whole:
            (self.output / name / "backup.json").touch()

    def names(self):
        return sorted(path.name for path in self.output.iterdir())

    def test_keeps_the_newest_and_nothing_of_others_goes(self):
        for day in (1, 2, 3):
            self.make(f"mozgach-2020-01-0{day}T030000Z")
        self.make("mozgach-2019-01-01T030000Z", whole=False)
        self.make("mine")
        done = self.back_up("--data", self.data, "--output", self.output, "--keep", 2)
        self.assertEqual(done.returncode, 0, done.stderr)
        names = self.names()
        self.assertEqual(names[:3], ["mine", "mozgach-2019-01-01T030000Z", "mozgach-2020-01-03T030000Z"])
        self.assertEqual(len(names), 4)

    def test_removes_nothing_when_it_fails(self):
        for day in (1, 2, 3):
            self.make(f"mozgach-2020-01-0{day}T030000Z")
        (self.data / "broken").touch()
        self.assertEqual(self.back_up("--data", self.data, "--output", self.output, "--keep", 1).returncode, 1)
        self.assertEqual(len(self.names()), 3)

    def test_misuse_is_a_usage_error(self):
        for words in ([], ["--data", "x"], ["--data", "", "--output", "y"], ["--output"], ["--what"],
                      ["--data", "x", "--output", "y", "--keep", "0"]):
            with self.subTest(words=words):
                done = self.back_up(*words)
                self.assertEqual(done.returncode, 2)
                self.assertIn("--data DIR --output DIR", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
