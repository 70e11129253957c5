#include "trainer/models/families.h"

#include "absl/strings/str_cat.h"

namespace mozgach {
namespace {

absl::StatusOr<Attention> LoadAttention(const WeightLoader& loader, int64_t layer) {
  const ModelConfig& config = loader.config();
  const auto place = static_cast<size_t>(layer);
  Attention attention;
  attention.layer = layer;
  attention.layout = {config.num_attention_heads, config.num_key_value_heads, config.head_dim};
  attention.scale = config.attention_scale;
  attention.window = config.windows[place];
  attention.rope = static_cast<size_t>(config.rope_of_layer[place]);
  ASSIGN_OR_RETURN(attention.qkv,
                   loader.Linear(layer, {Projection::kQ, Projection::kK, Projection::kV},
                                 config.attention_bias));
  ASSIGN_OR_RETURN(attention.output,
                   loader.Linear(layer, {Projection::kO}, config.attention_output_bias));
  return attention;
}

}  // namespace

absl::StatusOr<PreNormLayer::Weights> LoadSharedWeights(const WeightLoader& loader, int64_t layer) {
  const ModelConfig& config = loader.config();
  PreNormLayer::Weights weights;
  weights.norm_eps = config.rms_norm_eps;
  weights.activation = config.activation;
  ASSIGN_OR_RETURN(weights.input_norm, LoadLayerNorm(loader, layer, "input_layernorm"));
  ASSIGN_OR_RETURN(weights.attention, LoadAttention(loader, layer));
  ASSIGN_OR_RETURN(weights.gate_up,
                   loader.Linear(layer, {Projection::kGate, Projection::kUp}, config.mlp_bias));
  ASSIGN_OR_RETURN(weights.down, loader.Linear(layer, {Projection::kDown}, config.mlp_bias));
  return weights;
}

absl::StatusOr<HeadNorms> LoadHeadNorms(const WeightLoader& loader, int64_t layer) {
  const ModelConfig& config = loader.config();
  HeadNorms norms;
  norms.eps = config.rms_norm_eps;
  ASSIGN_OR_RETURN(norms.q,
                   loader.Norm(LayerTensorName(layer, "self_attn.q_norm.weight"), config.head_dim));
  ASSIGN_OR_RETURN(norms.k,
                   loader.Norm(LayerTensorName(layer, "self_attn.k_norm.weight"), config.head_dim));
  return norms;
}

absl::StatusOr<at::Tensor> LoadLayerNorm(const WeightLoader& loader, int64_t layer,
                                         const std::string& name) {
  return loader.Norm(LayerTensorName(layer, name + ".weight"), loader.config().hidden_size);
}

absl::StatusOr<LayerLoader> FindFamily(const std::string& model_type) {
  constexpr std::pair<const char*, LayerLoader> kFamilies[] = {{"gemma3_text", LoadGemma3Layer},
                                                               {"llama", LoadLlamaLayer},
                                                               {"mistral", LoadMistralLayer},
                                                               {"qwen2", LoadQwen2Layer},
                                                               {"qwen3", LoadQwen3Layer}};
  for (const auto& [name, loader] : kFamilies) {
    if (model_type == name) return loader;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("model_type '", model_type, "' is not supported yet"));
}

}  // namespace mozgach
