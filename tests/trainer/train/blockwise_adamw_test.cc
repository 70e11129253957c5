#include "trainer/train/blockwise_adamw.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "planner/step_bounds.h"
#include "trainer/device/runtime.h"
#include "trainer/quant/dynamic_levels.h"
#include "trainer/train/adamw.h"

namespace mozgach {
namespace {

constexpr int64_t kElements = 5000;  // the last block is not full

TrainingSpec Settings(const char* optim) {
  TrainingSpec training;
  training.optim = optim;
  training.weight_decay = 0.1;
  return training;
}

// A parameter after `steps` updates. Within a block the gradients differ in size by more than a
// factor of ten.
at::Tensor Trained(const char* optim, int steps) {
  const at::NoGradGuard no_grad;
  at::manual_seed(108);
  const at::Tensor sizes = at::randn({kElements}).mul(0.5).exp_();
  at::Tensor parameter = at::ones({kElements}).requires_grad_();
  AdamW optimizer({{"p", parameter}}, Settings(optim));
  for (int step = 0; step < steps; ++step) {
    parameter.mutable_grad() = at::randn({kElements}).add_(1).mul_(sizes);
    optimizer.Step(0.01);
  }
  return parameter.detach();
}

TEST(BlockwiseAdamWTest, UnsignedLevelsMatchBitsandbytes) {
  const auto& levels = UnsignedDynamicLevels();
  EXPECT_EQ(levels[0], 0.0f);
  EXPECT_FLOAT_EQ(levels[1], 3.25e-7f);
  EXPECT_FLOAT_EQ(levels[2], 7.75e-7f);
  EXPECT_FLOAT_EQ(levels[254], 0.99648440f);
  EXPECT_EQ(levels[255], 1.0f);
  for (size_t i = 0; i + 1 < levels.size(); ++i) EXPECT_LT(levels[i], levels[i + 1]);
}

TEST(BlockwiseAdamWTest, FirstUpdateMatchesFloat32) {
  const at::Tensor difference = Trained("adamw_8bit", 1) - Trained("adamw", 1);
  EXPECT_LT(difference.abs().max().item<double>(), 1e-6);
}

TEST(BlockwiseAdamWTest, LaterUpdatesStayCloseToFloat32) {
  const at::Tensor start = at::ones({kElements});
  const at::Tensor exact = Trained("adamw", 40) - start;
  const at::Tensor difference = Trained("adamw_8bit", 40) - start - exact;
  const double relative = (difference.norm() / exact.norm()).item<double>();
  EXPECT_GT(relative, 0);
  EXPECT_LT(relative, 0.05);
}

TEST(BlockwiseAdamWTest, ResultDoesNotDependOnThreads) {
  const int threads = Threads();
  SetThreads(1);
  const at::Tensor alone = Trained("adamw_8bit", 5);
  SetThreads(2);
  const at::Tensor together = Trained("adamw_8bit", 5);
  SetThreads(threads);
  EXPECT_TRUE(alone.equal(together));
}

TEST(BlockwiseAdamWTest, BlockWithoutGradientsStaysUnchanged) {
  at::Tensor parameter = at::ones({kElements}).requires_grad_();
  TrainingSpec settings = Settings("adamw_8bit");
  settings.weight_decay = 0;
  AdamW optimizer({{"p", parameter}}, settings);
  parameter.mutable_grad() = at::zeros({kElements});
  optimizer.Step(0.01);
  EXPECT_TRUE(parameter.detach().equal(at::ones({kElements})));
}

TEST(BlockwiseAdamWTest, MomentsUseOneByteExceptForSmallParameters) {
  at::Tensor large = at::ones({kLeastBlockwise}).requires_grad_();
  at::Tensor small = at::ones({kLeastBlockwise - 1}).requires_grad_();
  const AdamW optimizer({{"large", large}, {"small", small}}, Settings("adamw_8bit"));
  int64_t bytes = 0;
  for (const auto& [name, tensor] : optimizer.NamedMoments()) {
    if (name.find("large") != std::string::npos) bytes += static_cast<int64_t>(tensor.nbytes());
    if (name.find("small") != std::string::npos) {
      EXPECT_EQ(tensor.scalar_type(), at::kFloat);
    }
  }
  EXPECT_EQ(bytes, 2 * (kLeastBlockwise + 4 * kLeastBlockwise / kMomentBlock));
}

}  // namespace
}  // namespace mozgach
