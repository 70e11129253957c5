// A model configuration that is small enough to write in code.
#pragma once

#include "planner/model_config.h"

namespace mozgach {

inline ModelConfig SmallConfig() {
  ModelConfig config;
  config.model_type = "qwen2";
  config.vocab_size = 50;
  config.hidden_size = 24;
  config.intermediate_size = 40;
  config.num_hidden_layers = 3;
  config.num_attention_heads = 4;
  config.num_key_value_heads = 2;
  config.head_dim = 6;
  config.max_position_embeddings = 64;
  return config;
}

}  // namespace mozgach
