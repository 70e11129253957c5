#include "trainer/train/schedule.h"

#include <gtest/gtest.h>

#include <vector>

namespace mozgach {
namespace {

std::vector<double> Rates(const std::string& type, int64_t warmup, int64_t steps) {
  TrainingSpec training;
  training.learning_rate = 1;
  training.lr_scheduler_type = type;
  training.warmup_steps = warmup;
  std::vector<double> rates;
  for (int64_t step = 0; step < steps; ++step) rates.push_back(LearningRate(training, step, steps));
  return rates;
}

void ExpectRates(const std::vector<double>& got, const std::vector<double>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-12) << "step " << i;
}

// The expected values are from transformers 5.23.
TEST(ScheduleTest, CosineWithWarmupMatchesTransformers) {
  ExpectRates(
      Rates("cosine", 3, 10),
      {0.0, 0.3333333333333333, 0.6666666666666666, 1.0, 0.9504844339512095, 0.8117449009293668,
       0.6112604669781572, 0.38873953302184283, 0.18825509907063326, 0.04951556604879048});
  ExpectRates(Rates("cosine", 0, 5), {1.0, 0.9045084971874737, 0.6545084971874737,
                                      0.34549150281252633, 0.09549150281252633});
}

TEST(ScheduleTest, LinearWithWarmupMatchesTransformers) {
  ExpectRates(
      Rates("linear", 3, 10),
      {0.0, 0.3333333333333333, 0.6666666666666666, 1.0, 0.8571428571428571, 0.7142857142857143,
       0.5714285714285714, 0.42857142857142855, 0.2857142857142857, 0.14285714285714285});
}

TEST(ScheduleTest, ConstantStaysAfterWarmup) {
  ExpectRates(Rates("constant", 3, 6), {0.0, 0.3333333333333333, 0.6666666666666666, 1, 1, 1});
}

TEST(ScheduleTest, WarmupRatioIsOfAllStepsRoundedUp) {
  TrainingSpec training;
  training.warmup_ratio = 0.1;
  EXPECT_EQ(WarmupSteps(training, 101), 11);
  training.warmup_steps = 7;
  EXPECT_EQ(WarmupSteps(training, 101), 7);
}

TEST(ScheduleTest, WarmupLongerThanTheTrainingNeverReachesTheFullRate) {
  const std::vector<double> rates = Rates("cosine", 20, 10);
  EXPECT_DOUBLE_EQ(rates.back(), 9.0 / 20);
}

}  // namespace
}  // namespace mozgach
