#include "trainer/quant/frozen_weight.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

namespace mozgach {
namespace {

TEST(FrozenWeightTest, ReturnsDenseWeightUnchanged) {
  const at::Tensor weight = at::randn({4, 6});
  DequantBuffer buffer;
  EXPECT_EQ(FrozenWeight::Dense(weight).Get(buffer).data_ptr(), weight.data_ptr());
}

TEST(FrozenWeightTest, StacksQuantisedPartsInBuffer) {
  const at::Tensor a = at::randn({3, 37}), b = at::randn({5, 37});
  std::vector<QuantizedWeight> parts = {*QuantizeNf4(a, true), *QuantizeNf4(b, true)};
  at::Tensor first = at::empty({3, 37}, at::kFloat), second = at::empty({5, 37}, at::kFloat);
  parts[0].DequantizeInto(first);
  parts[1].DequantizeInto(second);
  const FrozenWeight weight = FrozenWeight::Joined({parts[0], parts[1]}, at::kFloat);
  DequantBuffer buffer;
  EXPECT_EQ(weight.rows(), 8);
  EXPECT_TRUE(at::equal(weight.Get(buffer), at::cat({first, second})));
}

TEST(FrozenWeightTest, StacksDenseAndQuantisedParts) {
  const at::Tensor dense = at::randn({2, 37}), before = at::randn({3, 37});
  const QuantizedWeight part = *QuantizeNf4(before, true);
  at::Tensor first = at::empty({3, 37}, at::kFloat);
  part.DequantizeInto(first);
  const FrozenWeight weight = FrozenWeight::Joined({part, dense}, at::kFloat);
  DequantBuffer buffer;
  EXPECT_EQ(weight.rows(), 5);
  EXPECT_EQ(weight.bytes(), part.bytes() + 2 * 37 * 4);
  EXPECT_TRUE(at::equal(weight.Get(buffer), at::cat({first, dense})));
}

TEST(FrozenWeightTest, BufferServesSmallerWeights) {
  DequantBuffer buffer;
  const void* address = buffer.Take(8, 8, at::kFloat, at::kCPU).data_ptr();
  EXPECT_EQ(buffer.Take(4, 10, at::kFloat, at::kCPU).data_ptr(), address);
  EXPECT_EQ(buffer.Take(9, 9, at::kFloat, at::kCPU).sizes(), at::IntArrayRef({9, 9}));
  EXPECT_EQ(buffer.Take(2, 3, at::kBFloat16, at::kCPU).scalar_type(), at::kBFloat16);
}

}  // namespace
}  // namespace mozgach
