// Shapes of well-known bases, by what their config.json says.
#pragma once

#include <string>

#include "planner/model_config.h"

namespace mozgach {

inline ModelConfig ConfigOf(const std::string& text) { return ModelConfig::Parse(text).value(); }

inline ModelConfig Qwen25_3B() {
  return ConfigOf(R"({"model_type": "qwen2", "vocab_size": 151936, "hidden_size": 2048,
      "intermediate_size": 11008, "num_hidden_layers": 36, "num_attention_heads": 16,
      "num_key_value_heads": 2, "max_position_embeddings": 32768, "tie_word_embeddings": true,
      "torch_dtype": "bfloat16"})");
}

inline ModelConfig Qwen25_05B() {
  return ConfigOf(R"({"model_type": "qwen2", "vocab_size": 151936, "hidden_size": 896,
      "intermediate_size": 4864, "num_hidden_layers": 24, "num_attention_heads": 14,
      "num_key_value_heads": 2, "max_position_embeddings": 32768, "tie_word_embeddings": true,
      "torch_dtype": "bfloat16"})");
}

}  // namespace mozgach
