// The loss on held-out rows: the mean negative log-likelihood of their target tokens.
#pragma once

#include <vector>

#include "common/status.h"
#include "trainer/data/example.h"
#include "trainer/lora/lora_adapter.h"
#include "trainer/models/causal_lm.h"
#include "trainer/train/trainer.h"

namespace mozgach {

// Returns the mean over all target tokens of `examples` (not a mean of row means). Scores the bare
// base if `adapter` is null. If memory runs out, the batches become smaller. CANCELLED if
// `observer` interrupts, OUT_OF_RANGE if the loss is not finite. REQUIRES: at least one target
// token.
absl::StatusOr<double> HeldOutLoss(const CausalLm& model, const LoraAdapter* adapter,
                                   const std::vector<Example>& examples,
                                   TrainingObserver& observer);

}  // namespace mozgach
