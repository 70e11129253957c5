// What a training step computes again instead of keeping it, by the memory there is.
#pragma once

#include <cstdint>

#include <c10/core/ScalarType.h>

#include "common/domain_spec.h"
#include "planner/model_config.h"
#include "trainer/models/recompute.h"

namespace mozgach {

// Bytes that the decoder layers keep for the backward pass over `tokens` tokens, on a CPU: an
// estimate from above.
int64_t ActivationBytes(const ModelConfig& config, int64_t tokens, at::ScalarType compute_type,
                        Recompute recompute);

// training.gradient_checkpointing decided: "true" is whole layers, "false" nothing, and "auto" the
// least that leaves half of the memory that is free when a micro-batch of `max_length` tokens per
// sequence goes through.
Recompute ChooseRecompute(const TrainingSpec& training, const ModelConfig& config,
                          int64_t max_length, at::ScalarType compute_type);

}  // namespace mozgach
