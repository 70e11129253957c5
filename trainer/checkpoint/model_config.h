// A ModelConfig is what a base's config.json says about its shape, with the defaults that the
// Hugging Face classes fill in.  Plain value.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/status.h"

namespace mozgach {

struct ModelConfig {
  std::string model_type;    // qwen2 | llama | mistral
  std::string architecture;  // Qwen2ForCausalLM, …
  std::string name_or_path;  // hub name the adapter will name as its base

  int64_t vocab_size = 0;
  int64_t hidden_size = 0;
  int64_t intermediate_size = 0;
  int64_t num_hidden_layers = 0;
  int64_t num_attention_heads = 0;
  int64_t num_key_value_heads = 0;
  int64_t head_dim = 0;  // hidden / heads where the file does not say
  int64_t max_position_embeddings = 0;
  double rms_norm_eps = 1e-6;
  double rope_theta = 10000.0;
  bool tie_word_embeddings = false;
  bool attention_bias = false;  // on q, k, v
  bool attention_output_bias = false;
  bool mlp_bias = false;
  std::string torch_dtype;  // as stored: float32, float16, bfloat16

  // Reads and checks `base_dir`/config.json: INVALID_ARGUMENT names the key and what would be
  // right; a family we do not have is answered with those we have.  Reads both spellings
  // (rope_theta / rope_parameters, torch_dtype / dtype).  What this version cannot do yet is
  // refused, never passed over: rope scaling, an active sliding window, 4-bit checkpoints,
  // activations other than SiLU.
  static absl::StatusOr<ModelConfig> Load(const std::filesystem::path& base_dir);
};

}  // namespace mozgach
