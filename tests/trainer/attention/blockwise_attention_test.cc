// Compares attention tile by tile with the formula in float64.
#include "trainer/attention/blockwise_attention.h"

#include <ATen/ops/randn.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <vector>

#include "tests/trainer/attention/dense_attention.h"

namespace mozgach {
namespace {

struct Case {
  int64_t length;
  int64_t keys;
  int64_t window;
};

std::vector<at::Tensor> Inputs(const Case& c, at::ScalarType type) {
  std::vector<at::Tensor> inputs;
  for (const auto& [heads, length] : {std::pair(4L, c.length), {2L, c.keys}, {2L, c.keys}}) {
    inputs.push_back(at::randn({3, heads, length, 8}).to(type));
  }
  return inputs;
}

std::vector<at::Tensor> Leaves(const std::vector<at::Tensor>& inputs, at::ScalarType type) {
  std::vector<at::Tensor> leaves;
  for (const at::Tensor& x : inputs) {
    leaves.push_back(x.to(type, /*non_blocking=*/false, /*copy=*/true).requires_grad_(true));
  }
  return leaves;
}

TEST(BlockwiseAttentionTest, MatchesFormulaForwardAndBackward) {
  constexpr AttentionTiles kTiles{4, 6};
  for (const Case& c : std::vector<Case>{{1, 1, 0},
                                         {9, 9, 0},
                                         {12, 12, 0},
                                         {9, 9, 4},
                                         {30, 30, 7},
                                         {30, 30, 1},
                                         {12, 12, 29},
                                         {5, 19, 0},
                                         {5, 19, 3},
                                         {1, 19, 6}}) {
    SCOPED_TRACE(testing::Message() << c.length << " " << c.keys << " " << c.window);
    const auto inputs = Inputs(c, at::kDouble);
    const auto exact = Leaves(inputs, at::kDouble), ours = Leaves(inputs, at::kDouble);
    const at::Tensor weights = at::randn({3, 4, c.length, 8}).to(at::kDouble);
    const at::Tensor y = DenseAttention(exact[0], exact[1], exact[2], 0.3, c.window);
    const at::Tensor our_y = BlockwiseAttention(ours[0], ours[1], ours[2], 0.3, c.window, kTiles);
    EXPECT_LT(Distance(our_y, y), 1e-12);
    const auto grads = torch::autograd::grad({y}, exact, {weights});
    const auto our_grads = torch::autograd::grad({our_y}, ours, {weights});
    for (size_t i = 0; i < 3; ++i) {
      if (grads[i].norm().item<double>() < 1e-9) continue;  // one key: nothing depends on q, k
      EXPECT_LT(Distance(our_grads[i], grads[i]), 1e-11) << i;
    }
  }
}

TEST(BlockwiseAttentionTest, SumsBfloat16InFloat32) {
  const Case c{700, 700, 0};
  const auto inputs = Inputs(c, at::kBFloat16);
  const auto exact = Leaves(inputs, at::kDouble), ours = Leaves(inputs, at::kBFloat16);
  const at::Tensor weights = at::randn({3, 4, c.length, 8}).to(at::kBFloat16);
  const at::Tensor y = DenseAttention(exact[0], exact[1], exact[2], 0.3, 0);
  const at::Tensor our_y = BlockwiseAttention(ours[0], ours[1], ours[2], 0.3, 0);
  EXPECT_EQ(our_y.scalar_type(), at::kBFloat16);
  EXPECT_LT(Distance(our_y, y), 3e-3);
  const auto grads = torch::autograd::grad({y}, exact, {weights.to(at::kDouble)});
  const auto our_grads = torch::autograd::grad({our_y}, ours, {weights});
  for (size_t i = 0; i < 3; ++i) EXPECT_LT(Distance(our_grads[i], grads[i]), 5e-3) << i;
}

// The first tile of keys lies before some queries' windows; its scores are much larger than theirs.
TEST(BlockwiseAttentionTest, KeysBeforeTheWindowHaveNoEffect) {
  const Case c{8, 8, 2};
  auto inputs = Inputs(c, at::kDouble);
  const at::Tensor before = BlockwiseAttention(inputs[0], inputs[1], inputs[2], 1, 2, {8, 3});
  inputs[1].narrow(2, 0, 1).mul_(1e6);
  inputs[2].narrow(2, 0, 1).mul_(1e6);
  const at::Tensor after = BlockwiseAttention(inputs[0], inputs[1], inputs[2], 1, 2, {8, 3});
  EXPECT_TRUE(before.narrow(2, 2, 6).equal(after.narrow(2, 2, 6)));
  EXPECT_TRUE(after.isfinite().all().item<bool>());
}

}  // namespace
}  // namespace mozgach
