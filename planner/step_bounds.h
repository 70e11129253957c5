// How much goes through at once, and what is stored in blocks.  The trainer goes by these numbers
// and the plan counts with them, so that neither changes without the other.  Pure functions.
#pragma once

#include <cstdint>

#include "planner/model_config.h"

namespace mozgach {

// Held-out rows go through in batches of about this many tokens; a longer row is one of its own.
inline constexpr int64_t kHeldOutTokens = 4096;

// Elements of an 8-bit moment that share a scale.
inline constexpr int64_t kMomentBlock = 256;
// Smaller parameters keep their moments in float32, as in bitsandbytes.
inline constexpr int64_t kLeastBlockwise = 4096;

// Bytes of logits held at once on the lowest rung of the trainer's memory ladder.
inline constexpr int64_t kShortestLossChunkBytes = int64_t{1} << 20;

// Tokens whose logits are held at once, of `tokens` that are trained: as many as share
// `chunk_bytes`, all chunks alike; 0: as many as are fastest.  `element`: bytes of the head's type.
int64_t LossChunkTokens(int64_t vocabulary, int64_t element, int64_t tokens,
                        int64_t chunk_bytes = 0);

inline constexpr int64_t kMostPrompts = 128;
// Questions that are answered at once, kMostPrompts at most: as many as their keys and values have
// room for, each of `tokens` with its answer.  `element`: bytes of the compute type.
int64_t PromptsAtOnce(const ModelConfig& config, int64_t element, int64_t tokens);

}  // namespace mozgach
