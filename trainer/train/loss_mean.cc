#include "trainer/train/loss_mean.h"

#include <algorithm>

namespace mozgach {
namespace {

constexpr double kStepsLookedBack = 64;

}  // namespace

void LossMean::Add(int64_t step, double loss, int64_t tokens) {
  const auto t = static_cast<double>(step);
  // A step without trained tokens has no loss; it must not leave a mean with weight 0.
  const auto n = static_cast<double>(std::max<int64_t>(tokens, 1));
  const double kept = std::min((t - 1) / (t + 1), 1 - 1 / kStepsLookedBack);
  sum = kept * sum + n * loss;
  weight = kept * weight + n;
  interval_sum += n * loss;
  interval_tokens += n;
}

double LossMean::TakeInterval() {
  const double mean = interval_sum / interval_tokens;
  interval_sum = 0;
  interval_tokens = 0;
  return mean;
}

}  // namespace mozgach
