// Compares values and gradients with the formula in tensor operations.
#include "trainer/lora/adapted_linear.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "tests/trainer/lora/small_config.h"
#include "trainer/lora/dropout_mask.h"

namespace mozgach {
namespace {

struct Result {
  at::Tensor y;
  std::vector<at::Tensor> gradients;  // gradients of x, then of A and B of q, k and v
};

double Distance(const at::Tensor& ours, const at::Tensor& reference) {
  return ours.to(at::kFloat).sub(reference.to(at::kFloat)).norm().item<double>() /
         reference.to(at::kFloat).norm().item<double>();
}

class AdaptedLinearTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const ModelConfig config = SmallConfig();
    LoraSpec spec;
    spec.r = 3;
    spec.lora_dropout = 0.3;
    adapter_ = *LoraAdapter::Create(config, spec, 1, at::kCPU);
    linear_.layer = 1;
    linear_.projections = {Projection::kQ, Projection::kK, Projection::kV};
    linear_.rows = {24, 12, 12};
    linear_.bias = at::randn({48});
    dense_ = at::randn({48, 24});
    linear_.weight = FrozenWeight::Dense(dense_);
    at::NoGradGuard no_gradients;
    for (const auto& [name, tensor] : adapter_.NamedTensors(config)) tensor.normal_(0, 0.3);
  }

  LoraContext Context(bool training = false) {
    LoraContext context;
    context.adapter = &adapter_;
    context.training = training;
    context.seed = 5;
    context.step = 6;
    context.micro_batch = 7;
    context.buffer = &buffer_;
    return context;
  }

  std::vector<at::Tensor> Matrices() const {
    std::vector<at::Tensor> matrices;
    for (Projection projection : linear_.projections) {
      const LoraPair* pair = adapter_.Find(1, projection);
      matrices.insert(matrices.end(), {pair->a, pair->b});
    }
    return matrices;
  }

  Result Differentiate(const at::Tensor& x, const at::Tensor& y, const at::Tensor& grad_y) const {
    std::vector<at::Tensor> inputs = Matrices();
    inputs.insert(inputs.begin(), x);
    return {y.detach(), torch::autograd::grad({y}, inputs, {grad_y})};
  }

  Result Ours(const at::Tensor& x, const at::Tensor& grad_y, bool training) {
    return Differentiate(x, Apply(linear_, x, Context(training)), grad_y);
  }

  Result Reference(const at::Tensor& x, const at::Tensor& grad_y, bool training) const {
    std::vector<at::Tensor> low_rank;
    for (Projection projection : linear_.projections) {
      const LoraPair* pair = adapter_.Find(1, projection);
      at::Tensor in = x;
      if (training) {
        const auto place = static_cast<uint32_t>(kProjections + static_cast<int>(projection));
        in = x.mul(DropoutMask({5, 6, 7, place}, 0.3, x.size(0), x.size(1), x.options()));
      }
      low_rank.push_back(in.mm(pair->a.t()).mm(pair->b.t()).mul(adapter_.scaling()));
    }
    const at::Tensor y = x.mm(dense_.t()).add(linear_.bias).add(at::cat(low_rank, 1));
    return Differentiate(x, y, grad_y);
  }

  void Compare(int64_t tokens, bool training) {
    const at::Tensor x = at::randn({tokens, 24}).requires_grad_(true);
    const at::Tensor grad_y = at::randn({tokens, 48});
    const Result ours = Ours(x, grad_y, training), reference = Reference(x, grad_y, training);
    EXPECT_LT(Distance(ours.y, reference.y), 1e-6);
    for (size_t i = 0; i < reference.gradients.size(); ++i) {
      EXPECT_LT(Distance(ours.gradients[i], reference.gradients[i]), 2e-6) << i;
      EXPECT_EQ(ours.gradients[i].scalar_type(), at::kFloat);
    }
  }

  LoraAdapter adapter_;
  AdaptedLinear linear_;
  at::Tensor dense_;
  DequantBuffer buffer_;
};

TEST_F(AdaptedLinearTest, FewTokensUseAAndB) { Compare(5, false); }

TEST_F(AdaptedLinearTest, ManyTokensUseTheMergedWeight) { Compare(200, false); }

TEST_F(AdaptedLinearTest, DropoutUsesTheSameMaskForwardAndBackward) {
  Compare(5, true);
  Compare(200, true);
}

TEST_F(AdaptedLinearTest, FourBitWeightMatchesDequantisedWeight) {
  std::vector<FrozenWeight::Part> parts;
  int64_t row = 0;
  for (int64_t rows : linear_.rows) {
    parts.push_back(*QuantizeNf4(dense_.narrow(0, row, rows), true));
    row += rows;
  }
  linear_.weight = FrozenWeight::Joined(parts, at::kFloat);
  DequantBuffer own;
  dense_ = linear_.weight.Get(own).clone();
  Compare(5, false);
  Compare(200, false);
  Compare(50, true);
}

TEST_F(AdaptedLinearTest, BareBaseHasGradientsForXOnly) {
  LoraContext context = Context();
  context.adapter = nullptr;
  const at::Tensor x = at::randn({6, 24}).requires_grad_(true), grad_y = at::randn({6, 48});
  const at::Tensor y = Apply(linear_, x, context);
  const auto gradients = torch::autograd::grad({y}, {x}, {grad_y});
  EXPECT_LT(Distance(y.detach(), x.detach().mm(dense_.t()).add(linear_.bias)), 1e-6);
  EXPECT_LT(Distance(gradients[0], grad_y.mm(dense_)), 1e-6);
  EXPECT_FALSE(Apply(linear_, x.detach(), context).requires_grad());
}

TEST_F(AdaptedLinearTest, InputWithoutGradientGetsNone) {
  const at::Tensor x = at::randn({100, 24}), grad_y = at::randn({100, 48});
  const at::Tensor y = Apply(linear_, x, Context());
  const auto gradients = torch::autograd::grad({y}, Matrices(), {grad_y});
  const at::Tensor wanted = x.clone().requires_grad_(true);
  const Result reference = Reference(wanted, grad_y, false);
  for (size_t i = 0; i < gradients.size(); ++i) {
    EXPECT_LT(Distance(gradients[i], reference.gradients[i + 1]), 2e-6) << i;
  }
}

TEST_F(AdaptedLinearTest, Bfloat16StaysCloseAndGivesFloat32Gradients) {
  linear_.weight = FrozenWeight::Dense(dense_.to(at::kBFloat16));
  const at::Tensor bias = linear_.bias;
  linear_.bias = bias.to(at::kBFloat16);
  const at::Tensor x = at::randn({60, 24}), grad_y = at::randn({60, 48});
  const at::Tensor narrow = x.to(at::kBFloat16).requires_grad_(true);
  const Result ours = Ours(narrow, grad_y.to(at::kBFloat16), false);
  linear_.bias = bias;
  const Result reference = Reference(x.clone().requires_grad_(true), grad_y, false);
  EXPECT_LT(Distance(ours.y, reference.y), 0.02);
  EXPECT_EQ(ours.gradients[0].scalar_type(), at::kBFloat16);
  for (size_t i = 0; i < reference.gradients.size(); ++i) {
    EXPECT_LT(Distance(ours.gradients[i], reference.gradients[i]), 0.02) << i;
    if (i > 0) {
      EXPECT_EQ(ours.gradients[i].scalar_type(), at::kFloat);
    }
  }
}

}  // namespace
}  // namespace mozgach
