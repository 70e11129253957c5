#include "trainer/train/activation_memory.h"

#include <c10/core/ScalarType.h>

#include "trainer/models/runtime.h"

namespace mozgach {

int64_t ActivationBytes(const ModelConfig& config, int64_t tokens, at::ScalarType compute_type) {
  const auto element = static_cast<int64_t>(c10::elementSize(compute_type));
  const int64_t queries = config.num_attention_heads * config.head_dim;
  const int64_t keys = config.num_key_value_heads * config.head_dim;
  // Two norms (input and normed, in float32 as well), two residuals; q before and after rotation,
  // the attention's output; k and v likewise; gate, up, their activation and product.
  const int64_t per_token =
      10 * config.hidden_size + 4 * queries + 4 * keys + 5 * config.intermediate_size;
  return config.num_hidden_layers * tokens * per_token * element;
}

bool CheckpointLayers(const TrainingSpec& training, const ModelConfig& config, int64_t max_length,
                      at::ScalarType compute_type) {
  if (training.gradient_checkpointing != "auto") return training.gradient_checkpointing == "true";
  const int64_t tokens = training.per_device_train_batch_size * max_length;
  return ActivationBytes(config, tokens, compute_type) > MemoryFreeBytes() / 2;
}

}  // namespace mozgach
