// Compares the loops of RMSNorm (with and without heads) and gated units with their formulas in
// float64.
#include <ATen/ops/mean.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/sigmoid.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "trainer/attention/head_norm.h"
#include "trainer/kernels/rms_norm.h"
#include "trainer/models/gated_unit.h"

namespace mozgach {
namespace {

double WideDistance(const at::Tensor& a, const at::Tensor& b) {
  return a.to(at::kDouble).sub(b.to(at::kDouble)).norm().item<double>() /
         b.to(at::kDouble).norm().item<double>();
}

at::Tensor Leaf(const at::Tensor& values, at::ScalarType type) {
  return values.to(type).detach().clone().requires_grad_(true);
}

at::Tensor GradientOf(const at::Tensor& y, const at::Tensor& x, const at::Tensor& grad_y) {
  return torch::autograd::grad({y}, {x}, {grad_y.to(y.scalar_type())})[0];
}

TEST(RmsNormTest, ValuesAndGradientsMatchFormula) {
  for (int64_t size : {1, 15, 16, 17, 96, 203}) {
    const at::Tensor x = at::randn({33, size}).mul_(3), weight = at::randn({size}),
                     grad_y = at::randn({33, size});
    const at::Tensor exact = Leaf(x, at::kDouble);
    const at::Tensor y = exact.mul(exact.mul(exact).mean({1}, true).add(1e-5).rsqrt()).mul(weight);
    const at::Tensor grad = GradientOf(y, exact, grad_y);
    const at::Tensor ours = Leaf(x, at::kFloat);
    const at::Tensor our_y = RmsNorm(ours, weight, 1e-5);
    EXPECT_LT(WideDistance(our_y, y), 1e-6) << size;
    EXPECT_LT(WideDistance(GradientOf(our_y, ours, grad_y), grad), size == 1 ? 1.0 : 2e-6) << size;
    const at::Tensor narrow = Leaf(x, at::kBFloat16);
    const at::Tensor narrow_y = RmsNorm(narrow, weight.to(at::kBFloat16), 1e-5);
    EXPECT_EQ(narrow_y.scalar_type(), at::kBFloat16);
    EXPECT_LT(WideDistance(narrow_y, y), 0.02) << size;
  }
}

TEST(RmsNormTest, OtherTypesUseTensorOperations) {
  const at::Tensor x = at::randn({9, 24}), weight = at::randn({24}), grad_y = at::randn({9, 24});
  const at::Tensor one = Leaf(x, at::kFloat), other = Leaf(x, at::kDouble);
  const at::Tensor one_y = RmsNorm(one, weight, 1e-6);
  const at::Tensor other_y = RmsNorm(other, weight.to(at::kDouble), 1e-6);
  EXPECT_LT(WideDistance(one_y, other_y), 1e-6);
  EXPECT_LT(WideDistance(GradientOf(one_y, one, grad_y), GradientOf(other_y, other, grad_y)), 1e-6);
}

TEST(RmsNormTest, FloatWeightsRoundAfterTheProductAsGemmaDoes) {
  const at::Tensor x = at::randn({5, 64}).to(at::kBFloat16), weight = at::randn({64}).add(1);
  const at::Tensor wide = x.to(at::kFloat);
  const at::Tensor expected =
      wide.mul(wide.mul(wide).mean({1}, true).add(1e-6).rsqrt()).mul(weight).to(at::kBFloat16);
  EXPECT_LT(WideDistance(RmsNorm(x, weight, 1e-6), expected), 1e-4);
}

TEST(HeadNormTest, NormalisesQueriesAndKeysButNotValues) {
  const HeadLayout layout{4, 2, 10};
  const HeadNorms norms{at::randn({10}), at::randn({10}), 1e-6};
  const HeadNorms wide{norms.q.to(at::kDouble), norms.k.to(at::kDouble), 1e-6};
  const at::Tensor x = at::randn({23, 80}), grad_y = at::randn({23, 80});
  const at::Tensor ours = Leaf(x, at::kFloat), exact = Leaf(x, at::kDouble);
  const at::Tensor our_y = NormalizeQueriesAndKeys(ours, layout, norms);
  const at::Tensor exact_y = NormalizeQueriesAndKeys(exact, layout, wide);
  EXPECT_TRUE(our_y.narrow(1, 60, 20).equal(x.narrow(1, 60, 20)));
  EXPECT_LT(WideDistance(our_y, exact_y), 1e-6);
  EXPECT_LT(WideDistance(our_y.narrow(1, 40, 10), RmsNorm(x.narrow(1, 40, 10), norms.k, 1e-6)),
            1e-6);
  EXPECT_LT(WideDistance(GradientOf(our_y, ours, grad_y), GradientOf(exact_y, exact, grad_y)),
            1e-6);
}

at::Tensor Exactly(Activation activation, const at::Tensor& gate) {
  if (activation == Activation::kSilu) return gate.mul(gate.sigmoid());
  const at::Tensor inner = gate.add(gate.pow(3).mul(0.044715)).mul(std::sqrt(2 / M_PI));
  return gate.mul(0.5).mul(inner.tanh().add(1));
}

TEST(GatedUnitTest, ValuesAndGradientsMatchFormula) {
  for (const Activation activation : {Activation::kSilu, Activation::kGeluTanh}) {
    for (double spread : {0.1, 3.0, 60.0}) {
      const at::Tensor x = at::randn({41, 2 * 37}).mul_(spread), grad_y = at::randn({41, 37});
      const at::Tensor exact = Leaf(x, at::kDouble);
      const at::Tensor y = Exactly(activation, exact.narrow(1, 0, 37)).mul(exact.narrow(1, 37, 37));
      const at::Tensor ours = Leaf(x, at::kFloat);
      const at::Tensor our_y = GatedUnit(activation, ours);
      EXPECT_LT(WideDistance(our_y, y), 1e-6) << spread;
      EXPECT_LT(WideDistance(GradientOf(our_y, ours, grad_y), GradientOf(y, exact, grad_y)), 1e-6)
          << spread;
      const at::Tensor by_tensors = Leaf(x, at::kDouble);
      const at::Tensor other_y = GatedUnit(activation, by_tensors);
      EXPECT_LT(WideDistance(GradientOf(other_y, by_tensors, grad_y),
                             GradientOf(GatedUnit(activation, ours), ours, grad_y)),
                1e-6);
    }
  }
}

TEST(GatedUnitTest, HugeGatesStayFinite) {
  at::Tensor x = at::randn({2, 8}).mul_(1e4);
  for (const Activation activation : {Activation::kSilu, Activation::kGeluTanh}) {
    EXPECT_TRUE(std::isfinite(GatedUnit(activation, x).abs().max().item<float>()));
  }
}

}  // namespace
}  // namespace mozgach
