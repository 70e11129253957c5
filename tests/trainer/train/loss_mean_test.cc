#include "trainer/train/loss_mean.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace mozgach {
namespace {

double RunningAfter(const std::vector<double>& losses) {
  LossMean mean;
  int64_t step = 0;
  for (const double loss : losses) mean.Add(++step, loss, 100);
  return mean.Running();
}

TEST(LossMeanTest, EqualLossesGiveThatLoss) {
  EXPECT_DOUBLE_EQ(RunningAfter({2.5}), 2.5);
  EXPECT_NEAR(RunningAfter(std::vector<double>(500, 2.5)), 2.5, 1e-12);
}

TEST(LossMeanTest, ForgetsTheBeginning) {
  std::vector<double> losses(40, 9.0);
  losses.insert(losses.end(), 160, 1.0);
  EXPECT_NEAR(RunningAfter(losses), 1.0, 0.1);
  EXPECT_GT(RunningAfter({9, 9, 9, 1}), 2.0) << "the mean covers more than the last of four steps";
}

// Two trainings on the same rows, with losses that fluctuate with the rows. The last step alone
// would rank them incorrectly.
TEST(LossMeanTest, RanksTrainingsWithFluctuatingLoss) {
  for (const int steps : {12, 30, 200, 3000}) {
    std::vector<double> better, worse;
    for (int i = 0; i < steps; ++i) {
      const double swing = 0.3 * std::sin(2.1 * i);
      better.push_back(1.0 + swing);
      worse.push_back(1.15 + swing);
    }
    better.back() = 1.3;
    worse.back() = 1.0;
    EXPECT_LT(RunningAfter(better), RunningAfter(worse)) << steps << " steps";
  }
}

TEST(LossMeanTest, WeightsByTokens) {
  LossMean mean;
  mean.Add(1, 1.0, 300);
  mean.Add(2, 5.0, 100);
  // d(2) = 1/3: 100 tokens of the first step, 100 of the second.
  EXPECT_DOUBLE_EQ(mean.Running(), (100 * 1.0 + 100 * 5.0) / 200);
  EXPECT_DOUBLE_EQ(mean.TakeInterval(), (300 * 1.0 + 100 * 5.0) / 400);
  mean.Add(3, 2.0, 7);
  EXPECT_DOUBLE_EQ(mean.TakeInterval(), 2.0) << "the next interval starts empty";
}

TEST(LossMeanTest, StepWithoutTrainedTokensIsFinite) {
  LossMean mean;
  mean.Add(1, 0.0, 0);
  EXPECT_DOUBLE_EQ(mean.Running(), 0.0);
  EXPECT_DOUBLE_EQ(mean.TakeInterval(), 0.0);
}

}  // namespace
}  // namespace mozgach
