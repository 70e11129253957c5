#include "planner/step_bounds.h"

#include <algorithm>

namespace mozgach {
namespace {

constexpr int64_t kLossChunkBytes = int64_t{64} << 20;
constexpr int64_t kCacheBytes = int64_t{512} << 20;

}  // namespace

int64_t LossChunkTokens(int64_t vocabulary, int64_t element, int64_t tokens, int64_t chunk_bytes) {
  const int64_t token_bytes = element * vocabulary;
  // Enough of them for a good product, unless a bound is asked for.
  const int64_t most = chunk_bytes > 0
                           ? std::max<int64_t>(1, chunk_bytes / token_bytes)
                           : std::clamp<int64_t>(kLossChunkBytes / token_bytes, 64, 8192);
  const int64_t chunks = std::max<int64_t>(1, (tokens + most - 1) / most);
  return (tokens + chunks - 1) / chunks;
}

int64_t PromptsAtOnce(const ModelConfig& config, int64_t element, int64_t tokens) {
  const int64_t per_token =
      2 * config.num_hidden_layers * config.num_key_value_heads * config.head_dim * element;
  return std::clamp<int64_t>(kCacheBytes / (per_token * tokens), 1, kMostPrompts);
}

}  // namespace mozgach
