// How long a context trains in how much memory, by technique.  Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "planner/memory_plan.h"

namespace mozgach {

struct ContextRow {
  int64_t memory_bytes = 0;
  std::vector<int64_t> tokens;  // per technique; 0: not even the shortest
};

struct ContextTable {
  std::vector<std::string> techniques;
  std::vector<ContextRow> rows;
  // Beyond it the base was not made to see; rope_scaling stretches it.
  int64_t base_tokens = 0;
};

// One document of a row at a time, r 8 on all linear layers, bfloat16, for 8 to 192 GB.  "bf16
// LoRA" and "QLoRA" hold a matrix of attention scores and all logits, as trainers do that know no
// better; "+ checkpointing" runs layers again; "+ blocks" is what this trainer does: attention and
// loss in blocks.  Tokens are whole multiples of 256, at most 4,194,304.
absl::StatusOr<ContextTable> ContextsOf(const ModelConfig& config, DeviceClass device);

}  // namespace mozgach
