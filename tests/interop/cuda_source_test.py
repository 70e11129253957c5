"""NVIDIA's own compiler takes the CUDA kernels' source, for the devices there are; no GPU is needed for that."""

import os
import pathlib
import subprocess
import sys
import unittest

SOURCE = pathlib.Path(os.environ.get("MOZGACH_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
BUILD = pathlib.Path(os.environ.get("MOZGACH_BUILD_DIR", SOURCE / "build"))
LIBRARIES = [folder for root in sys.path for folder in pathlib.Path(root).glob("nvidia/cuda_nvrtc/lib")]


class CudaSourceTest(unittest.TestCase):
    def test_every_kernel_compiles_for_every_architecture_and_what_is_wrong_is_said(self):
        self.assertTrue(LIBRARIES, "tests/setup installs NVRTC")
        done = subprocess.run([BUILD / "tests" / "trainer_quant_test", "--gtest_filter=Nf4CudaTest.*"],
                              capture_output=True, text=True, timeout=120,
                              env={**os.environ, "LD_LIBRARY_PATH": str(LIBRARIES[0])}, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn("SKIPPED", done.stdout)
        self.assertRegex(done.stdout, r"OK.*NvrtcCompilesForEveryArchitecture")


if __name__ == "__main__":
    unittest.main()
