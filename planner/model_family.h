// The families of bases, and what their Hugging Face configuration classes fill in where a
// config.json is silent (transformers 5.23).
#pragma once

#include <cstdint>
#include <string>

#include "common/status.h"
#include "planner/config_reader.h"
#include "planner/model_config.h"

namespace mozgach {

inline constexpr int64_t kMostLayers = 4096;

struct ModelFamily {
  const char* model_type;
  const char* architecture;
  // A model of which the text part is of this family; "" where there is none.
  const char* multimodal_type = "";
  const char* multimodal_architecture = "";

  // 0: must be in the file, except heads' numbers, which follow from others.
  int64_t vocab_size = 0;
  int64_t hidden_size = 0;
  int64_t intermediate_size = 0;
  int64_t num_hidden_layers = 0;
  int64_t num_attention_heads = 0;
  int64_t num_key_value_heads = 0;
  int64_t head_dim = 0;
  int64_t max_position_embeddings = 0;
  bool tie_word_embeddings = false;

  bool qkv_bias = false;  // always there
  bool honours_attention_bias = false;
  bool honours_mlp_bias = false;
  bool gemma = false;
  // Norms of a layer beside those before attention and mlp.
  bool head_norms = false;    // on each head of queries and keys
  bool output_norms = false;  // on the results of attention and mlp

  // How a sliding window is asked for.
  enum class Window { kNever, kByFlag, kAlways, kByLayerType };
  Window window = Window::kNever;
};

// By the model_type of a config.json.  INVALID_ARGUMENT lists the families we have.
absl::StatusOr<const ModelFamily*> FindModelFamily(const std::string& model_type);

// Fills `windows` and `rope_of_layer`.
void ReadLayerWindows(const ModelFamily& family, ConfigReader& reader, ModelConfig* config);

}  // namespace mozgach
