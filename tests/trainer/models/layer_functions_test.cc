// RMSNorm and SwiGLU: the loops against the formulas in float64.
#include <ATen/ops/mean.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/sigmoid.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "trainer/models/rms_norm.h"
#include "trainer/models/swiglu.h"

namespace mozgach {
namespace {

double Distance(const at::Tensor& a, const at::Tensor& b) {
  return a.to(at::kDouble).sub(b.to(at::kDouble)).norm().item<double>() /
         b.to(at::kDouble).norm().item<double>();
}

at::Tensor Leaf(const at::Tensor& values, at::ScalarType type) {
  return values.to(type).detach().clone().requires_grad_(true);
}

at::Tensor GradientOf(const at::Tensor& y, const at::Tensor& x, const at::Tensor& grad_y) {
  return torch::autograd::grad({y}, {x}, {grad_y.to(y.scalar_type())})[0];
}

TEST(RmsNormTest, ValuesAndGradientsAreThoseOfTheFormula) {
  for (int64_t size : {1, 15, 16, 17, 96, 203}) {
    const at::Tensor x = at::randn({33, size}).mul_(3), weight = at::randn({size}),
                     grad_y = at::randn({33, size});
    const at::Tensor exact = Leaf(x, at::kDouble);
    const at::Tensor y = exact.mul(exact.mul(exact).mean({1}, true).add(1e-5).rsqrt()).mul(weight);
    const at::Tensor grad = GradientOf(y, exact, grad_y);
    const at::Tensor ours = Leaf(x, at::kFloat);
    const at::Tensor our_y = RmsNorm(ours, weight, 1e-5);
    EXPECT_LT(Distance(our_y, y), 1e-6) << size;
    EXPECT_LT(Distance(GradientOf(our_y, ours, grad_y), grad), size == 1 ? 1.0 : 2e-6) << size;
    const at::Tensor narrow = Leaf(x, at::kBFloat16);
    const at::Tensor narrow_y = RmsNorm(narrow, weight.to(at::kBFloat16), 1e-5);
    EXPECT_EQ(narrow_y.scalar_type(), at::kBFloat16);
    EXPECT_LT(Distance(narrow_y, y), 0.02) << size;
  }
}

TEST(RmsNormTest, OtherTypesGoByTensorOperations) {
  const at::Tensor x = at::randn({9, 24}), weight = at::randn({24}), grad_y = at::randn({9, 24});
  const at::Tensor one = Leaf(x, at::kFloat), other = Leaf(x, at::kDouble);
  const at::Tensor one_y = RmsNorm(one, weight, 1e-6);
  const at::Tensor other_y = RmsNorm(other, weight.to(at::kDouble), 1e-6);
  EXPECT_LT(Distance(one_y, other_y), 1e-6);
  EXPECT_LT(Distance(GradientOf(one_y, one, grad_y), GradientOf(other_y, other, grad_y)), 1e-6);
}

TEST(SwiGluTest, ValuesAndGradientsAreThoseOfTheFormula) {
  for (double spread : {0.1, 3.0, 60.0}) {
    const at::Tensor x = at::randn({41, 2 * 37}).mul_(spread), grad_y = at::randn({41, 37});
    const at::Tensor exact = Leaf(x, at::kDouble);
    const at::Tensor gate = exact.narrow(1, 0, 37);
    const at::Tensor y = gate.mul(gate.sigmoid()).mul(exact.narrow(1, 37, 37));
    const at::Tensor ours = Leaf(x, at::kFloat);
    const at::Tensor our_y = SwiGlu(ours);
    EXPECT_LT(Distance(our_y, y), 1e-6) << spread;
    EXPECT_LT(Distance(GradientOf(our_y, ours, grad_y), GradientOf(y, exact, grad_y)), 1e-6)
        << spread;
    const at::Tensor by_tensors = Leaf(x, at::kDouble);
    const at::Tensor other_y = SwiGlu(by_tensors);
    EXPECT_LT(Distance(GradientOf(other_y, by_tensors, grad_y),
                       GradientOf(SwiGlu(ours), ours, grad_y)),
              1e-6);
  }
}

TEST(SwiGluTest, HugeGatesStayFinite) {
  at::Tensor x = at::randn({2, 8}).mul_(1e4);
  EXPECT_TRUE(std::isfinite(SwiGlu(x).abs().max().item<float>()));
}

}  // namespace
}  // namespace mozgach
