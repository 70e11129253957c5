#include "planner/time_plan.h"

#include <algorithm>
#include <cmath>

#include "planner/ceil_divide.h"

namespace mozgach {
namespace {

// First-fit packing of rows that are short beside max_length leaves little empty.
constexpr double kPackedShare = 0.97;

}  // namespace

TimePlan PlanTime(const DomainSpec& spec, const RowTokens& rows, double tokens_per_second) {
  TimePlan plan;
  if (rows.rows == 0) return plan;
  const auto room = static_cast<double>(spec.data.max_length) * kPackedShare;
  const int64_t packed = static_cast<int64_t>(std::ceil(static_cast<double>(rows.total) / room));
  const int64_t sequences =
      spec.data.packing ? std::clamp<int64_t>(packed, 1, rows.rows) : rows.rows;
  const int64_t steps_of_epoch =
      CeilDivide(CeilDivide(sequences, spec.training.per_device_train_batch_size),
                 spec.training.gradient_accumulation_steps);
  const double epochs = spec.training.max_steps ? static_cast<double>(*spec.training.max_steps) /
                                                      static_cast<double>(steps_of_epoch)
                                                : spec.training.num_train_epochs;
  plan.steps = spec.training.max_steps
                   ? *spec.training.max_steps
                   : std::max<int64_t>(
                         1, static_cast<int64_t>(
                                std::ceil(epochs * static_cast<double>(steps_of_epoch) - 1e-9)));
  plan.tokens = static_cast<int64_t>(std::llround(epochs * static_cast<double>(rows.total)));
  if (tokens_per_second > 0) {
    plan.seconds = static_cast<double>(plan.tokens) / tokens_per_second;
  }
  return plan;
}

}  // namespace mozgach
