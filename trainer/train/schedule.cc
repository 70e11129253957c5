#include "trainer/train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace mozgach {
namespace {

double Ratio(int64_t part, int64_t whole) {
  return static_cast<double>(part) / static_cast<double>(std::max<int64_t>(1, whole));
}

}  // namespace

int64_t WarmupSteps(const TrainingSpec& training, int64_t steps) {
  if (training.warmup_steps > 0 || !training.warmup_ratio) return training.warmup_steps;
  return static_cast<int64_t>(std::ceil(static_cast<double>(steps) * *training.warmup_ratio));
}

double LearningRate(const TrainingSpec& training, int64_t step, int64_t steps) {
  const int64_t warmup = WarmupSteps(training, steps);
  if (step < warmup) return training.learning_rate * Ratio(step, warmup);
  if (training.lr_scheduler_type == "constant") return training.learning_rate;
  if (training.lr_scheduler_type == "linear") {
    return training.learning_rate * std::max(0.0, Ratio(steps - step, steps - warmup));
  }
  const double progress = Ratio(step - warmup, steps - warmup);
  return training.learning_rate *
         std::max(0.0, 0.5 * (1.0 + std::cos(std::numbers::pi * progress)));
}

}  // namespace mozgach
