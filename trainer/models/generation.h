// Generates text with a base, with or without an adapter.
#pragma once

#include <cstdint>
#include <vector>

#include "common/status.h"
#include "trainer/lora/lora_adapter.h"
#include "trainer/models/causal_lm.h"

namespace mozgach {

struct GenerationOptions {
  int64_t max_new_tokens = 256;
  double temperature = 0;         // 0: always the most likely token
  uint64_t seed = 0;              // seed of the samples; each prompt has its own random stream
  std::vector<int32_t> stop_ids;  // a sequence ends before the first stop token
};

// Continues all prompts as one batch; finished sequences leave the batch. Returns one list per
// prompt, without the prompt and the stop token. Prompt and answer together have at most
// CausalLm::longest_text() tokens. The result for a prompt depends on the other prompts only by
// rounding. INVALID_ARGUMENT for a prompt that is empty, too long or contains ids outside of the
// vocabulary; RESOURCE_EXHAUSTED if memory runs out.
absl::StatusOr<std::vector<std::vector<int32_t>>> Generate(
    const CausalLm& model, const LoraAdapter* adapter,
    const std::vector<std::vector<int32_t>>& prompts, const GenerationOptions& options);

}  // namespace mozgach
