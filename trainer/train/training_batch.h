// A TrainingBatch is a micro-batch as tensors: the tokens of its rows one after another, and the
// positions that predict trained tokens.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "trainer/data/batches.h"
#include "trainer/data/example.h"
#include "trainer/models/causal_lm.h"

namespace mozgach {

struct TrainingBatch {
  TokenBatch tokens;     // every row is its own document, packed or not
  at::Tensor positions;  // [trained] int64: the position before each trained token
  at::Tensor targets;    // [trained] int64: the trained tokens

  int64_t Trained() const { return targets.size(0); }
};

// Makes a batch from the rows of `micro_batch`, in order. REQUIRES: its indices are in range for
// `examples`.
TrainingBatch MakeTrainingBatch(const std::vector<Example>& examples, const MicroBatch& micro_batch,
                                const at::Device& device);

// Splits all `examples` into batches of about `tokens` tokens; a longer row gets its own batch. For
// evaluation, where order and grouping do not matter.
std::vector<MicroBatch> InBatchesOf(const std::vector<Example>& examples, int64_t tokens);

// Returns the sum of the NLL over the batch's trained tokens, a float32 scalar. Differentiable if
// gradients are enabled.
at::Tensor SummedLoss(const CausalLm& model, const TrainingBatch& batch,
                      const ForwardOptions& options);

}  // namespace mozgach
