#include "trainer/train/cross_entropy.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace mozgach {
namespace {

constexpr int kSum = 2;  // at::Reduction::Sum

double RelativeError(const at::Tensor& got, const at::Tensor& expected) {
  return ((got - expected).norm() / expected.norm()).item<double>();
}

// Has enough tokens for several chunks.
TEST(CrossEntropyTest, ChunksMatchCompleteLogits) {
  const at::Tensor head = at::randn({40, 8});
  const at::Tensor targets = at::randint(40, {20001}, at::kLong);
  at::Tensor hidden = at::randn({20001, 8}).requires_grad_();
  at::Tensor reference = hidden.detach().clone().requires_grad_();

  const at::Tensor loss = SummedCrossEntropy(hidden, head, targets);
  (loss / 7.0).backward();
  const at::Tensor expected =
      at::cross_entropy_loss(at::matmul(reference, head.t()), targets, {}, kSum);
  (expected / 7.0).backward();

  EXPECT_NEAR(loss.item<double>() / expected.item<double>(), 1, 1e-5);
  EXPECT_LT(RelativeError(hidden.grad(), reference.grad()), 1e-5);
}

TEST(CrossEntropyTest, TokenNllAddsUpToTheSum) {
  const at::Tensor head = at::randn({40, 8}), hidden = at::randn({9000, 8});
  const at::Tensor targets = at::randint(40, {9000}, at::kLong);
  const at::Tensor nll = TokenNll(hidden, head, targets);
  ASSERT_EQ(nll.size(0), 9000);
  EXPECT_NEAR(nll.sum().item<double>() / SummedCrossEntropy(hidden, head, targets).item<double>(),
              1, 1e-5);
  EXPECT_EQ(TokenNll(hidden.narrow(0, 0, 0), head, targets.narrow(0, 0, 0)).size(0), 0);
}

TEST(CrossEntropyTest, HugeLogitsDoNotOverflow) {
  const at::Tensor head = at::randn({40, 8}) * 1e4;
  at::Tensor hidden = at::randn({5, 8}).requires_grad_();
  const at::Tensor loss = SummedCrossEntropy(hidden, head, at::randint(40, {5}, at::kLong));
  loss.backward();
  EXPECT_TRUE(std::isfinite(loss.item<double>()));
  EXPECT_TRUE(std::isfinite(hidden.grad().sum().item<double>()));
}

TEST(CrossEntropyTest, Bfloat16HiddenStatesKeepAFloat32Softmax) {
  const at::Tensor head = at::randn({40, 8}).to(at::kBFloat16);
  const at::Tensor hidden = at::randn({50, 8}).to(at::kBFloat16);
  const at::Tensor targets = at::randint(40, {50}, at::kLong);
  const double expected =
      SummedCrossEntropy(hidden.to(at::kFloat), head.to(at::kFloat), targets).item<double>();
  EXPECT_NEAR(SummedCrossEntropy(hidden, head, targets).item<double>() / expected, 1, 1e-2);
}

// The vocabulary size is not a multiple of a vector, and its sums have several parts.
TEST(CrossEntropyTest, WideVocabularyMatchesCompleteLogits) {
  const at::Tensor head = at::randn({9001, 16});
  const at::Tensor targets = at::randint(9001, {37}, at::kLong);
  at::Tensor hidden = (at::randn({37, 16}) * 3).requires_grad_();
  at::Tensor reference = hidden.detach().to(at::kDouble).requires_grad_();
  const at::Tensor loss = SummedCrossEntropy(hidden, head, targets);
  loss.backward();
  const at::Tensor expected =
      at::cross_entropy_loss(at::matmul(reference, head.to(at::kDouble).t()), targets, {}, kSum);
  expected.backward();
  EXPECT_NEAR(loss.item<double>() / expected.item<double>(), 1, 1e-6);
  EXPECT_LT(RelativeError(hidden.grad(), reference.grad()), 1e-5);
}

TEST(CrossEntropyTest, AMeanInBfloat16ScalesItsGradientExactly) {
  const at::Tensor head = at::randn({40, 8}).to(at::kBFloat16);
  const at::Tensor targets = at::randint(40, {383}, at::kLong);
  at::Tensor hidden = at::randn({383, 8}).to(at::kBFloat16).requires_grad_();
  SummedCrossEntropy(hidden, head, targets).backward();
  const at::Tensor whole = hidden.grad().to(at::kFloat);
  hidden.mutable_grad() = at::Tensor();
  (SummedCrossEntropy(hidden, head, targets) / 383.0).backward();
  const double ratio = (hidden.grad().to(at::kFloat).norm() / whole.norm()).item<double>();
  EXPECT_NEAR(ratio * 383.0, 1, 5e-4);
}

TEST(CrossEntropyTest, NanLogitsGiveNanLoss) {
  const at::Tensor head = at::randn({40, 8});
  at::Tensor hidden = at::randn({5, 8});
  hidden.select(0, 3).fill_(std::numeric_limits<float>::quiet_NaN());
  const at::Tensor targets = at::randint(40, {5}, at::kLong);
  EXPECT_FALSE(std::isfinite(SummedCrossEntropy(hidden, head, targets).item<double>()));
}

}  // namespace
}  // namespace mozgach
