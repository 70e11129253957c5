// The loss on rows that are not trained: the mean negative log-likelihood of their trained tokens.
#pragma once

#include <vector>

#include "common/status.h"
#include "trainer/data/example.h"
#include "trainer/lora/lora_adapter.h"
#include "trainer/models/causal_lm.h"
#include "trainer/train/trainer.h"

namespace mozgach {

// Mean over all trained tokens of `examples` (not a mean of row means); the bare base where
// `adapter` is null.  CANCELLED when `observer` asks to leave, OUT_OF_RANGE when it is not finite.
// Where memory runs out the batches become smaller.
// REQUIRES: a trained token.
absl::StatusOr<double> HeldOutLoss(const CausalLm& model, const LoraAdapter* adapter,
                                   const std::vector<Example>& examples,
                                   TrainingObserver& observer);

}  // namespace mozgach
