#include "trainer/models/families.h"

#include "absl/strings/str_cat.h"

namespace mozgach {
namespace {

absl::StatusOr<Attention> LoadAttention(const WeightLoader& loader, int64_t layer, bool qkv_bias,
                                        bool output_bias) {
  const ModelConfig& config = loader.config();
  Attention attention;
  attention.layer = layer;
  attention.layout = {config.num_attention_heads, config.num_key_value_heads, config.head_dim};
  ASSIGN_OR_RETURN(
      attention.qkv,
      loader.Linear(layer, {Projection::kQ, Projection::kK, Projection::kV}, qkv_bias));
  ASSIGN_OR_RETURN(attention.output, loader.Linear(layer, {Projection::kO}, output_bias));
  return attention;
}

}  // namespace

absl::StatusOr<std::unique_ptr<DecoderLayer>> LoadPreNormLayer(const WeightLoader& loader,
                                                               int64_t layer, bool qkv_bias,
                                                               bool output_bias, bool mlp_bias) {
  const ModelConfig& config = loader.config();
  PreNormLayer::Weights weights;
  weights.norm_eps = config.rms_norm_eps;
  ASSIGN_OR_RETURN(
      weights.input_norm,
      loader.Dense(LayerTensorName(layer, "input_layernorm.weight"), {config.hidden_size}));
  ASSIGN_OR_RETURN(weights.attention, LoadAttention(loader, layer, qkv_bias, output_bias));
  ASSIGN_OR_RETURN(weights.post_attention_norm,
                   loader.Dense(LayerTensorName(layer, "post_attention_layernorm.weight"),
                                {config.hidden_size}));
  ASSIGN_OR_RETURN(weights.gate_up,
                   loader.Linear(layer, {Projection::kGate, Projection::kUp}, mlp_bias));
  ASSIGN_OR_RETURN(weights.down, loader.Linear(layer, {Projection::kDown}, mlp_bias));
  return std::make_unique<PreNormLayer>(std::move(weights));
}

absl::StatusOr<LayerLoader> FindFamily(const std::string& model_type) {
  if (model_type == "qwen2") return LoadQwen2Layer;
  if (model_type == "llama" || model_type == "mistral") return LoadLlamaLayer;
  return absl::InvalidArgumentError(
      absl::StrCat("model_type '", model_type, "' is not supported yet"));
}

}  // namespace mozgach
