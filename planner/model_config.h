// A ModelConfig is what a base's config.json says about its shape, with the defaults that the
// Hugging Face classes fill in.  Plain value.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "planner/rope_config.h"

namespace mozgach {

// The activation of the gated unit in each layer.
enum class Activation { kSilu, kGeluTanh };

struct ModelConfig {
  std::string model_type;    // qwen2 | qwen3 | llama | mistral | gemma3_text
  std::string architecture;  // Qwen2ForCausalLM, …, Gemma3ForConditionalGeneration
  std::string name_or_path;  // hub name the adapter will name as its base

  int64_t vocab_size = 0;
  int64_t hidden_size = 0;
  int64_t intermediate_size = 0;
  int64_t num_hidden_layers = 0;
  int64_t num_attention_heads = 0;
  int64_t num_key_value_heads = 0;
  int64_t head_dim = 0;  // hidden / heads where neither file nor class says
  int64_t max_position_embeddings = 0;
  double rms_norm_eps = 1e-6;
  Activation activation = Activation::kSilu;
  // As declared.  Weights may contradict it: see trainer/checkpoint/word_tables.h.
  bool tie_word_embeddings = false;
  bool attention_bias = false;  // on q, k, v
  bool attention_output_bias = false;
  bool mlp_bias = false;
  std::string torch_dtype;  // as stored: float32, float16, bfloat16

  // What scores are multiplied with: head_dim^-0.5, in Gemma 3 query_pre_attn_scalar^-0.5.
  double attention_scale = 0;
  // What embeddings are multiplied with, rounded to their type: Gemma's sqrt(hidden).
  double embedding_scale = 1;
  // Norms multiply with 1 + weight, in float32 (Gemma).
  bool norms_from_one = false;
  bool head_norms = false;    // norms on each head of queries and keys
  bool output_norms = false;  // norms on the results of attention and mlp

  // One for all layers, or Gemma 3's: [0] global, [1] local.
  std::vector<RopeConfig> ropes;
  // Per layer: how many tokens it sees, itself counted (0: all before it), and which of `ropes`.
  std::vector<int64_t> windows;
  std::vector<int> rope_of_layer;

  // "model.layers", or what takes its place in the module names of the Hugging Face class: what an
  // adapter's keys begin with.
  std::string LayersPath() const;

  // Reads and checks `base_dir`/config.json: INVALID_ARGUMENT names the key and what would be
  // right; a family we do not have is answered with those we have, a quantisation that cannot be
  // trained with what can (common/base/quantization_format.h).  Reads both spellings of rope
  // and type.  Of a model that sees as well (Gemma3ForConditionalGeneration) the text part.  What
  // this version cannot do is refused, never passed over.
  static absl::StatusOr<ModelConfig> Load(const std::filesystem::path& base_dir);

  // The same from the file's text.
  static absl::StatusOr<ModelConfig> Parse(std::string_view text);
};

}  // namespace mozgach
