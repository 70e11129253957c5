// The learning rate of each optimizer step, with the formulas of transformers' get_constant_,
// get_linear_ and get_cosine_schedule_with_warmup (transformers/optimization.py). Pure functions.
#pragma once

#include <cstdint>

#include "common/domain/domain_spec.h"

namespace mozgach {

// Number of warm-up steps: `warmup_steps`, or warmup_ratio of all steps, rounded up.
int64_t WarmupSteps(const TrainingSpec& training, int64_t steps);

// The learning rate of optimizer step `step` (0-based) of `steps`. With warm-up it starts at 0.
double LearningRate(const TrainingSpec& training, int64_t step, int64_t steps);

}  // namespace mozgach
