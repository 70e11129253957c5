#include "trainer/models/layer_loader.h"

#include <string>
#include <utility>

namespace mozgach {
namespace {

absl::StatusOr<at::Tensor> LoadNorm(const WeightLoader& loader, int64_t layer, const char* name,
                                    int64_t size) {
  return loader.Norm(LayerTensorName(layer, std::string(name) + ".weight"), size);
}

absl::StatusOr<HeadNorms> LoadHeadNorms(const WeightLoader& loader, int64_t layer) {
  const ModelConfig& config = loader.config();
  HeadNorms norms;
  norms.eps = config.rms_norm_eps;
  ASSIGN_OR_RETURN(norms.q, LoadNorm(loader, layer, "self_attn.q_norm", config.head_dim));
  ASSIGN_OR_RETURN(norms.k, LoadNorm(loader, layer, "self_attn.k_norm", config.head_dim));
  return norms;
}

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
  if (config.head_norms) {
    ASSIGN_OR_RETURN(attention.norms, LoadHeadNorms(loader, layer));
  }
  return attention;
}

// The norm called post_attention_layernorm applies to the input of the mlp, but to the result of
// attention in families with output norms.
absl::Status LoadLayerNorms(const WeightLoader& loader, int64_t layer,
                            PreNormLayer::Weights* weights) {
  const int64_t hidden = loader.config().hidden_size;
  const auto load = [&](const char* name, at::Tensor* norm) -> absl::Status {
    ASSIGN_OR_RETURN(*norm, LoadNorm(loader, layer, name, hidden));
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(load("input_layernorm", &weights->input_norm));
  if (!loader.config().output_norms) return load("post_attention_layernorm", &weights->mlp_norm);
  RETURN_IF_ERROR(load("post_attention_layernorm", &weights->attention_out_norm));
  RETURN_IF_ERROR(load("pre_feedforward_layernorm", &weights->mlp_norm));
  return load("post_feedforward_layernorm", &weights->mlp_out_norm);
}

}  // namespace

absl::StatusOr<std::unique_ptr<DecoderLayer>> LoadLayer(const WeightLoader& loader, int64_t layer) {
  const ModelConfig& config = loader.config();
  PreNormLayer::Weights weights;
  weights.norm_eps = config.rms_norm_eps;
  weights.activation = config.activation;
  RETURN_IF_ERROR(LoadLayerNorms(loader, layer, &weights));
  ASSIGN_OR_RETURN(weights.attention, LoadAttention(loader, layer));
  ASSIGN_OR_RETURN(weights.gate_up,
                   loader.Linear(layer, {Projection::kGate, Projection::kUp}, config.mlp_bias));
  ASSIGN_OR_RETURN(weights.down, loader.Linear(layer, {Projection::kDown}, config.mlp_bias));
  return std::make_unique<PreNormLayer>(std::move(weights));
}

}  // namespace mozgach
