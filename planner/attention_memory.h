// What causal attention of one layer keeps and works with (trainer/attention/attention.cc and
// windowed_attention.cc), bytes.  Pure functions.
#pragma once

#include <cstdint>

#include "planner/model_config.h"
#include "planner/step_shape.h"

namespace mozgach {

struct AttentionMemory {
  int64_t split = 0;     // q, k and v by head, rotated
  int64_t queries = 0;   // the part of `split` that is q
  int64_t repeated = 0;  // keys and values once per query head; 0 where the kernel shares them
  bool summed = false;   // gradients of keys and values come once per query head
  int64_t folded = 0;    // copies that a window's blocks are laid out in
  bool padded = false;   // these take the place of q, k and v
  bool copied = false;   // the result by token is a copy of it by head
  int64_t result = 0;    // by head
  int64_t rows = 0;      // one number per query: the logarithm of the sum of exponentials
  int64_t forward_work = 0;
  int64_t backward_work = 0;
  int64_t gradients = 0;  // gradients of the kernel's inputs
};

AttentionMemory AttentionOf(const ModelConfig& config, int64_t layer, const StepShape& shape,
                            const ComputeSetup& setup);

}  // namespace mozgach
