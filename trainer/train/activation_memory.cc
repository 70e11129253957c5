#include "trainer/train/activation_memory.h"

#include <c10/core/ScalarType.h>

#include "trainer/models/attention.h"
#include "trainer/models/runtime.h"

namespace mozgach {

int64_t ActivationBytes(const ModelConfig& config, int64_t tokens, at::ScalarType compute_type,
                        Recompute recompute) {
  const auto element = static_cast<int64_t>(c10::elementSize(compute_type));
  const auto wide = static_cast<int64_t>(c10::elementSize(
      AttentionType(at::kCPU, compute_type, config.head_dim)));
  const int64_t hidden = config.hidden_size, inner = config.intermediate_size;
  const int64_t queries = config.num_attention_heads * config.head_dim;
  const int64_t keys = 2 * config.num_key_value_heads * config.head_dim;
  // The layer's input and that of its second half; gate and up; attention's result, twice.
  int64_t per_token = (2 * hidden + 2 * inner + queries) * element + queries * wide;
  // q, k, v as the product gave them, or rotated.  What norms, heads' norms and the gate gave.
  if (recompute == Recompute::kCheap) {
    per_token += (queries + keys) * element;
  } else {
    per_token += (queries + keys) * (wide + element) + (2 * hidden + inner) * element;
  }
  if (recompute != Recompute::kLayers) return config.num_hidden_layers * tokens * per_token;
  return tokens * (config.num_hidden_layers * hidden * element + per_token);
}

Recompute ChooseRecompute(const TrainingSpec& training, const ModelConfig& config,
                          int64_t max_length, at::ScalarType compute_type) {
  if (training.gradient_checkpointing == "true") return Recompute::kLayers;
  if (training.gradient_checkpointing == "false") return Recompute::kNothing;
  const int64_t tokens = training.per_device_train_batch_size * max_length;
  for (const Recompute recompute : {Recompute::kNothing, Recompute::kCheap}) {
    if (ActivationBytes(config, tokens, compute_type, recompute) <= MemoryFreeBytes() / 2) {
      return recompute;
    }
  }
  return Recompute::kLayers;
}

}  // namespace mozgach
