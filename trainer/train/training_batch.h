// A TrainingBatch is a micro-batch as tensors: the tokens of its rows one after another, and where
// the trained tokens are predicted.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "trainer/data/batches.h"
#include "trainer/data/example.h"
#include "trainer/models/causal_lm.h"

namespace mozgach {

struct TrainingBatch {
  TokenBatch tokens;     // every row is a document of its own, packed or not
  at::Tensor positions;  // [trained] int64: where a trained token is predicted (one before it)
  at::Tensor targets;    // [trained] int64: the token it should be

  int64_t Trained() const { return targets.size(0); }
};

// The rows of `micro_batch` in its order.  REQUIRES: its indices lie in `examples`.
TrainingBatch MakeTrainingBatch(const std::vector<Example>& examples, const MicroBatch& micro_batch,
                                const at::Device& device);

// All `examples` in batches of about `tokens` tokens (a longer row is a batch of its own): for
// evaluation, where neither order nor grouping matters.
std::vector<MicroBatch> InBatchesOf(const std::vector<Example>& examples, int64_t tokens);

// Sum of the NLL over the batch's trained tokens, float32 scalar; differentiable where gradients
// are on.
at::Tensor SummedLoss(const CausalLm& model, const TrainingBatch& batch,
                      const ForwardOptions& options);

}  // namespace mozgach
