#include "trainer/train/adamw.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

namespace mozgach {
namespace {

at::Tensor Leaf(std::vector<float> values) {
  return at::tensor(values, at::kFloat).requires_grad_();
}

void ExpectValues(const at::Tensor& tensor, const std::vector<double>& expected) {
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(tensor[static_cast<int64_t>(i)].item<double>(), expected[i], 2e-7);
  }
}

TrainingSpec Settings() {
  TrainingSpec training;
  training.weight_decay = 0.1;
  training.adam_beta1 = 0.9;
  training.adam_beta2 = 0.99;
  return training;
}

// The expected values are from torch.optim.AdamW and clip_grad_norm_ (torch 2.13).
TEST(AdamWTest, ClippedStepsMatchTorch) {
  at::Tensor parameter = Leaf({0.5f, -1.25f, 2.0f});
  AdamW optimizer({{"p", parameter}}, Settings());
  const std::vector<std::vector<float>> gradients = {
      {0.1f, -0.2f, 3.0f}, {-0.3f, 0.05f, 1.0f}, {0.7f, 0.7f, -4.0f}};
  const std::vector<double> norms = {3.008321762084961, 1.045227289199829, 4.1206793785095215};
  const std::vector<std::vector<double>> values = {{0.489500016, -1.238749981, 1.988000035},
                                                   {0.495617509, -1.236420035, 1.976024151},
                                                   {0.496293485, -1.240556240, 1.971405864}};
  for (size_t step = 0; step < gradients.size(); ++step) {
    parameter.mutable_grad() = at::tensor(gradients[step], at::kFloat);
    EXPECT_NEAR(optimizer.ClipGradients(1.0), norms[step], 1e-6);
    optimizer.Step(0.01);
    ExpectValues(parameter, values[step]);
  }
}

TEST(AdamWTest, WithoutClippingReturnsNormAndKeepsGradient) {
  at::Tensor parameter = Leaf({0, 0});
  AdamW optimizer({{"p", parameter}}, Settings());
  parameter.mutable_grad() = at::tensor({3.0f, 4.0f});
  EXPECT_NEAR(optimizer.ClipGradients(0), 5, 1e-6);
  ExpectValues(parameter.grad(), {3, 4});
  EXPECT_NEAR(optimizer.ClipGradients(10), 5, 1e-6);
  ExpectValues(parameter.grad(), {3, 4});
}

TEST(AdamWTest, RestoredStateContinuesBitForBit) {
  const auto gradient = [](int step) { return at::tensor({0.3f * step, -0.1f, 0.7f / step}); };
  at::Tensor undisturbed = Leaf({1, 2, 3});
  AdamW whole({{"p", undisturbed}}, Settings());
  at::Tensor resumed = Leaf({0, 0, 0});
  AdamW second({{"p", resumed}}, Settings());
  for (int step = 1; step <= 6; ++step) {
    if (step == 4) {
      resumed.detach().copy_(undisturbed.detach());
      const auto from = whole.NamedMoments(), to = second.NamedMoments();
      for (size_t i = 0; i < to.size(); ++i) to[i].second.copy_(from[i].second);
      second.set_steps(whole.steps());
    }
    undisturbed.mutable_grad() = gradient(step);
    whole.Step(0.1);
    if (step < 4) continue;
    resumed.mutable_grad() = gradient(step);
    second.Step(0.1);
  }
  EXPECT_TRUE(undisturbed.detach().equal(resumed.detach()));
}

TEST(AdamWTest, KeepsParameterWithoutGradient) {
  at::Tensor used = Leaf({1}), unused = Leaf({1});
  AdamW optimizer({{"used", used}, {"unused", unused}}, Settings());
  used.mutable_grad() = at::tensor({1.0f});
  optimizer.ClipGradients(1);
  optimizer.Step(0.1);
  EXPECT_EQ(unused.item<float>(), 1);
  EXPECT_NE(used.item<float>(), 1);
  optimizer.ForgetGradients();
  EXPECT_FALSE(used.grad().defined());
}

}  // namespace
}  // namespace mozgach
