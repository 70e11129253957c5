// Generation: what a base, with or without an adapter, says next.
#pragma once

#include <cstdint>
#include <vector>

#include "common/status.h"
#include "trainer/lora/lora_adapter.h"
#include "trainer/models/causal_lm.h"

namespace mozgach {

struct GenerationOptions {
  int64_t max_new_tokens = 256;
  double temperature = 0;         // 0: the likeliest token each time
  uint64_t seed = 0;              // of the draws; prompt i draws from a stream of its own
  std::vector<int32_t> stop_ids;  // a sequence ends before the first of these
};

// Continues all prompts as one batch; sequences that are finished leave it.  One list per prompt,
// without the prompt and the stop token; never more than CausalLm::longest_text() tokens with the
// prompt.  The result for a prompt does not depend on the others but for rounding.
// INVALID_ARGUMENT for a prompt that is empty, too long or holds ids outside the vocabulary;
// RESOURCE_EXHAUSTED when memory runs out.
absl::StatusOr<std::vector<std::vector<int32_t>>> Generate(
    const CausalLm& model, const LoraAdapter* adapter,
    const std::vector<std::vector<int32_t>>& prompts, const GenerationOptions& options);

}  // namespace mozgach
