// Whether layers are run again in the backward pass instead of keeping their activations.
#pragma once

#include <cstdint>

#include <c10/core/ScalarType.h>

#include "common/domain_spec.h"
#include "planner/model_config.h"

namespace mozgach {

// Bytes that a training forward pass over `tokens` tokens keeps for the backward pass, layers not
// checkpointed: an estimate from above of what the decoder layers save.
int64_t ActivationBytes(const ModelConfig& config, int64_t tokens, at::ScalarType compute_type);

// training.gradient_checkpointing decided: "auto" checkpoints when a micro-batch of `max_length`
// tokens per sequence would take more than half of the memory that is free.
bool CheckpointLayers(const TrainingSpec& training, const ModelConfig& config, int64_t max_length,
                      at::ScalarType compute_type);

}  // namespace mozgach
