// Compares windowed attention with a dense mask in float64.
#include "trainer/attention/windowed_attention.h"

#include <ATen/Context.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <vector>

#include "tests/trainer/attention/dense_attention.h"

namespace mozgach {
namespace {

TEST(WindowedAttentionTest, MatchesDenseMaskForwardAndBackward) {
  for (const auto& [length, window] : std::vector<std::pair<int64_t, int64_t>>{
           {1, 0}, {9, 0}, {9, 4}, {8, 4}, {3, 4}, {5, 4}, {30, 7}, {30, 1}, {12, 29}}) {
    const auto leaf = [&, length = length](int64_t heads) {
      return at::randn({3, heads, length, 8}).to(at::kDouble);
    };
    const at::Tensor q = leaf(4), k = leaf(2), v = leaf(2), weights = leaf(4);
    std::vector<at::Tensor> exact, ours;
    for (const at::Tensor& x : {q, k, v}) {
      exact.push_back(x.clone().requires_grad_(true));
      ours.push_back(x.to(at::kFloat).requires_grad_(true));
    }
    const at::Tensor y = DenseAttention(exact[0], exact[1], exact[2], 0.3, window);
    const at::Tensor our_y = CausalAttention(ours[0], ours[1], ours[2], 0.3, window);
    EXPECT_LT(Distance(our_y, y), 1e-5) << length << " " << window;
    const auto grads = torch::autograd::grad({y}, exact, {weights});
    const auto our_grads = torch::autograd::grad({our_y}, ours, {weights.to(at::kFloat)});
    for (size_t i = 0; i < 3; ++i) {
      if (grads[i].norm().item<double>() < 1e-9) continue;  // one token: nothing depends on q, k
      EXPECT_LT(Distance(our_grads[i], grads[i]), 1e-5) << length << " " << window << " " << i;
    }
  }
}

TEST(WindowedAttentionTest, Bfloat16RoundsLittleBesidesArgumentsAndResults) {
  at::manual_seed(108);
  for (const auto& [length, window] : std::vector<std::pair<int64_t, int64_t>>{{1, 0},
                                                                               {2, 0},
                                                                               {63, 0},
                                                                               {64, 0},
                                                                               {65, 0},
                                                                               {200, 0},
                                                                               {200, 64},
                                                                               {200, 1},
                                                                               {201, 70},
                                                                               {9, 300}}) {
    for (int64_t dim : {16, 48, 64, 128}) {
      const auto leaf = [&, length = length](int64_t heads) {
        return at::randn({2, length, heads, dim}).to(at::kBFloat16).transpose(1, 2);
      };
      const at::Tensor q = leaf(6), k = leaf(3), v = leaf(3), weights = leaf(6);
      std::vector<at::Tensor> exact, ours;
      for (const at::Tensor& x : {q, k, v}) {
        exact.push_back(x.to(at::kDouble).requires_grad_(true));
        ours.push_back(x.detach().requires_grad_(true));
      }
      const at::Tensor y = DenseAttention(exact[0], exact[1], exact[2], 0.2, window);
      const at::Tensor our_y = CausalAttention(ours[0], ours[1], ours[2], 0.2, window);
      EXPECT_LT(Distance(our_y, y), 4e-3) << length << " " << window << " " << dim;
      const auto grads = torch::autograd::grad({y}, exact, {weights.to(at::kDouble)});
      const auto our_grads = torch::autograd::grad({our_y}, ours, {weights});
      for (size_t i = 0; i < 3; ++i) {
        if (grads[i].norm().item<double>() < 1e-9) continue;  // one token: nothing depends on q, k
        // The gradient of a score is the difference of two terms. With few keys the difference may
        // be small, and then the rounding of y, which one term is computed from, has more weight.
        EXPECT_LT(Distance(our_grads[i], grads[i]), length < 16 ? 2e-2 : 8e-3)
            << length << " " << window << " " << dim << " " << i;
      }
    }
  }
}

}  // namespace
}  // namespace mozgach
