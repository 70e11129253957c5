// The learning rate of each optimizer step, as transformers' get_constant_, get_linear_ and
// get_cosine_schedule_with_warmup give it (transformers/optimization.py).  Pure functions.
#pragma once

#include <cstdint>

#include "common/domain/domain_spec.h"

namespace mozgach {

// Steps of warm-up: `warmup_steps`, or warmup_ratio of all steps, rounded up.
int64_t WarmupSteps(const TrainingSpec& training, int64_t steps);

// The learning rate used by optimizer step `step` (0-based) of `steps`.  With warm-up it begins at
// 0.
double LearningRate(const TrainingSpec& training, int64_t step, int64_t steps);

}  // namespace mozgach
