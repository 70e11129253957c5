// tests/interop/nf4_parity_test.py compares with bitsandbytes itself.
#include "trainer/quant/nf4.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "trainer/quant/nf4_tensors.h"

namespace mozgach {
namespace {

at::Tensor Dequantized(const QuantizedWeight& weight, at::ScalarType type) {
  at::Tensor out = at::empty(weight.shape, type);
  weight.DequantizeInto(out);
  return out;
}

QuantizedWeight Quantized(const at::Tensor& weight, bool double_quant = true) {
  auto quantized = QuantizeNf4(weight, double_quant);
  EXPECT_TRUE(quantized.ok()) << quantized.status();
  return *quantized;
}

int IndexAt(const QuantizedWeight& weight, int64_t i) {
  const uint8_t code = weight.codes.const_data_ptr<uint8_t>()[i / 2];
  return i % 2 == 0 ? code >> 4 : code & 15;
}

TEST(Nf4Test, LevelsAscendAndHoldZeroAndOne) {
  const auto& levels = Nf4Levels();
  EXPECT_EQ(levels.front(), -1.0f);
  EXPECT_EQ(levels[7], 0.0f);
  EXPECT_EQ(levels.back(), 1.0f);
  const auto& dynamic = DynamicLevels();
  for (size_t i = 1; i < dynamic.size(); ++i) EXPECT_LT(dynamic[i - 1], dynamic[i]);
  EXPECT_EQ(dynamic.back(), 1.0f);
  EXPECT_EQ(dynamic.front(), -0.99296873807907104f);
}

TEST(Nf4Test, EveryElementGetsTheNearestLevel) {
  for (int64_t size : {1, 2, 63, 64, 65, 127, 200, 1000}) {
    const at::Tensor weight = at::randn({size});
    const QuantizedWeight quantized = Quantized(weight, /*double_quant=*/false);
    const float* element = weight.const_data_ptr<float>();
    for (int64_t i = 0; i < size; ++i) {
      const float scale = quantized.absmax.const_data_ptr<float>()[i / kNf4Block];
      const float chosen = Nf4Levels()[static_cast<size_t>(IndexAt(quantized, i))];
      for (float level : Nf4Levels()) {
        EXPECT_LE(std::abs(chosen * scale - element[i]),
                  std::abs(level * scale - element[i]) + 1e-6f)
            << size << " " << i;
      }
    }
  }
}

TEST(Nf4Test, ValuesAreLevelTimesScaleRoundedOnce) {
  for (at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
    const at::Tensor weight = at::randn({37, 29}).to(type);
    const QuantizedWeight quantized = Quantized(weight);
    const at::Tensor scales = quantized.Scales();
    at::Tensor expected = at::empty({37 * 29}, at::kFloat);
    for (int64_t i = 0; i < expected.numel(); ++i) {
      expected.mutable_data_ptr<float>()[i] =
          Nf4Levels()[static_cast<size_t>(IndexAt(quantized, i))] *
          scales.const_data_ptr<float>()[i / kNf4Block];
    }
    for (at::ScalarType out : {at::kFloat, at::kBFloat16, at::kHalf}) {
      EXPECT_TRUE(at::equal(Dequantized(quantized, out), expected.view({37, 29}).to(out)));
    }
  }
}

TEST(Nf4Test, TensorOperationsMatchLoopsBitForBit) {
  for (const std::vector<int64_t>& shape :
       {std::vector<int64_t>{96, 96}, {7, 50}, {3, 5}, {1, 1}, {300, 128}}) {
    const QuantizedWeight quantized = Quantized(at::randn(shape));
    const at::Tensor scales = ScalesByTensors(quantized);
    EXPECT_TRUE(at::equal(scales, quantized.Scales()));
    for (at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
      at::Tensor out = at::empty(shape, type);
      DequantizeByTensors(quantized, scales, out);
      EXPECT_TRUE(at::equal(out, Dequantized(quantized, type)));
    }
  }
}

// A weight as another program may store it: other block sizes, and levels in any order.
QuantizedWeight Foreign(const std::vector<int64_t>& shape, int64_t block, int64_t nested_block) {
  QuantizedWeight weight;
  weight.shape = shape;
  weight.block = block;
  weight.nested_block = nested_block;
  for (float& level : weight.levels) level = at::randn({1}).item<float>();
  weight.offset = 0.25f;
  const int64_t blocks = (weight.elements() + block - 1) / block;
  weight.codes = at::randint(256, {(weight.elements() + 1) / 2}, at::kByte);
  weight.absmax = at::randint(256, {blocks}, at::kByte);
  weight.nested_absmax = at::randn({(blocks + nested_block - 1) / nested_block});
  weight.nested_levels = at::randn({256});
  return weight;
}

TEST(Nf4Test, DequantisesEveryBlockSizeAndTable) {
  for (int64_t block : {32, 64, 128, 512, 4096}) {
    for (const std::vector<int64_t>& shape : {std::vector<int64_t>{33, 129}, {96, 128}, {1, 3}}) {
      const QuantizedWeight weight = Foreign(shape, block, 16);
      const at::Tensor scales = weight.Scales();
      at::Tensor expected = at::empty(shape, at::kFloat);
      for (int64_t i = 0; i < weight.elements(); ++i) {
        const int64_t b = i / block;
        const float scale = weight.nested_levels[weight.absmax[b].item<int64_t>()].item<float>() *
                                weight.nested_absmax[b / 16].item<float>() +
                            weight.offset;
        ASSERT_EQ(scales.const_data_ptr<float>()[b], scale);
        expected.mutable_data_ptr<float>()[i] =
            weight.levels[static_cast<size_t>(IndexAt(weight, i))] * scale;
      }
      for (at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
        EXPECT_TRUE(at::equal(Dequantized(weight, type), expected.to(type))) << block;
        at::Tensor by_tensors = at::empty(shape, type);
        DequantizeByTensors(weight, ScalesByTensors(weight), by_tensors);
        EXPECT_TRUE(at::equal(by_tensors, expected.to(type))) << block;
      }
    }
  }
}

TEST(Nf4Test, DoubleQuantisationKeepsScalesToAFewPercent) {
  const at::Tensor weight = at::randn({512, 64}).mul_(0.02);
  const at::Tensor exact = Quantized(weight, false).Scales();
  const at::Tensor rounded = Quantized(weight, true).Scales();
  EXPECT_LT(exact.sub(rounded).abs().max().item<float>(), 0.05 * exact.max().item<float>());
}

TEST(Nf4Test, BitsPerElementAreAsPublished) {
  const QuantizedWeight quantized = Quantized(at::randn({256, 1024}));
  EXPECT_NEAR(8.0 * static_cast<double>(quantized.bytes()) / (256 * 1024), 4.127, 0.001);
}

TEST(Nf4Test, ZeroesStayZero) {
  EXPECT_TRUE(
      at::equal(Dequantized(Quantized(at::zeros({8, 64}), false), at::kFloat), at::zeros({8, 64})));
}

TEST(Nf4Test, RejectsValuesThatAreNotFinite) {
  for (float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                    -std::numeric_limits<float>::infinity()}) {
    for (int64_t place : {0, 70, 129}) {
      at::Tensor weight = at::ones({130});
      weight.mutable_data_ptr<float>()[place] = bad;
      EXPECT_EQ(QuantizeNf4(weight, true).status().code(), absl::StatusCode::kDataLoss);
      EXPECT_EQ(QuantizeNf4(weight.to(at::kBFloat16), true).status().code(),
                absl::StatusCode::kDataLoss);
    }
  }
}

TEST(Nf4Test, RejectsIntegers) {
  EXPECT_EQ(QuantizeNf4(at::ones({64}, at::kLong), true).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace mozgach
