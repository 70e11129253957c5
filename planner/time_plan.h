// How long a job takes: tokens and steps from its rows, seconds from what a device has shown.  Pure
// functions.
#pragma once

#include <cstdint>
#include <optional>

#include "common/domain/domain_spec.h"
#include "planner/token_estimate.h"

namespace mozgach {

struct TimePlan {
  int64_t tokens = 0;  // through the model, in all epochs
  int64_t steps = 0;
  std::optional<double> seconds;  // absent: the speed is unknown
};

// `rows` are those that are trained.  `tokens_per_second` of training, 0: not known.
TimePlan PlanTime(const DomainSpec& spec, const RowTokens& rows, double tokens_per_second);

}  // namespace mozgach
