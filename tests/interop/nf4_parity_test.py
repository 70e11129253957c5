"""NF4 with double quantisation: bytes, scales and values are those of bitsandbytes."""

import unittest

import torch
from safetensors.torch import save_file

from engine import EngineTest

try:
    import bitsandbytes.functional as F
except ImportError:
    raise SystemExit(77)

# bitsandbytes' AVX-512 kernel reads the wrong scales where a row's length is a multiple of 32 but not of 64: there it
# is held against its own portable formula.
SHAPES = [(64, 64), (96, 40), (7, 50), (13, 37), (3, 5), (100, 130), (1, 1), (33, 66), (256, 896), (65, 2), (96, 96)]


def same_bits(a, b):
    as_integers = {4: torch.int32, 2: torch.int16, 1: torch.uint8}[a.element_size()]
    return torch.equal(a.contiguous().view(as_integers), b.contiguous().view(as_integers))


def reference(weight):
    codes, state = F.quantize_4bit(weight, blocksize=64, compress_statistics=True, quant_type="nf4")
    absmax = F.dequantize_blockwise(state.absmax, state.state2) + state.offset
    if weight.shape[-1] % 32 == 0 and weight.shape[-1] % 64 != 0:
        # Rows of two elements go through the plain loop.
        def dequantize(dtype):
            rows = torch.ops.bitsandbytes.dequantize_4bit.default(codes, absmax, 64, "nf4", [weight.numel() // 2, 2], dtype)
            return rows.view(weight.shape)
    else:
        def dequantize(dtype):
            return torch.ops.bitsandbytes.dequantize_4bit.default(codes, absmax, 64, "nf4", weight.shape, dtype)
    return {
        "codes": codes.flatten(),
        "absmax": state.absmax,
        "nested_absmax": state.state2.absmax,
        "offset": state.offset.reshape(1),
        "scales": F.quantize_4bit(weight, blocksize=64, quant_type="nf4")[1].absmax,
        "dequantized": dequantize(weight.dtype).reshape(weight.shape),
        "dequantized_f32": dequantize(torch.float32).reshape(weight.shape),
    }


class Nf4ParityTest(EngineTest):
    def check(self, weights, **request):
        save_file(weights, self.dir / "in.safetensors")
        ours = self.probe_tensors(do="nf4", tensors=self.dir / "in.safetensors", **request)
        for name, weight in weights.items():
            for part, expected in reference(weight).items():
                with self.subTest(tensor=name, part=part):
                    self.assertTrue(same_bits(ours[f"{name}.{part}"], expected))

    def test_every_shape_and_type_gives_the_same_bits(self):
        weights = {}
        for dtype in (torch.float32, torch.bfloat16, torch.float16):
            for shape in SHAPES:
                weights[f"{dtype} {shape}"] = (torch.randn(shape) * 0.05).to(dtype)
        self.check(weights)

    def test_extreme_values_give_the_same_bits(self):
        blocks = torch.randn(64, 64)
        blocks[3] = 0
        blocks[5] *= 1e-41
        blocks[7] *= 1e-36
        blocks[9] *= 1e36
        blocks[11] = 0.5
        tail = torch.zeros(5, 13)
        uniform = torch.rand(300, 64) * 2 - 1
        self.check({"extreme": blocks, "zero tail": tail, "uniform": uniform, "heavy": torch.randn(80, 64) ** 5})

    def test_values_on_the_bounds_between_levels_give_the_same_bits(self):
        levels = F.get_4bit_type("nf4", device="cpu")
        bounds = (levels[:-1] + levels[1:]) / 2
        around = torch.cat([bounds, torch.nextafter(bounds, torch.tensor(2.0)), torch.nextafter(bounds, torch.tensor(-2.0))])
        row = torch.cat([around, torch.ones(64 - len(around))])
        self.check({"bounds": torch.stack([row, -row, row * 0.37, row * 3])})

    def test_a_large_weight_gives_the_same_bits(self):
        threads = torch.get_num_threads()
        self.check({"large": torch.randn(1024, 4096).to(torch.bfloat16)}, threads=threads)


if __name__ == "__main__":
    unittest.main()
