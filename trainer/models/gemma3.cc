// Gemma 3, text: norms that multiply with 1 + weight, on each query and key head and on what
// attention and mlp give; five layers with a window and a rope of their own to one that sees
// everything.
#include "trainer/models/families.h"

namespace mozgach {

absl::StatusOr<std::unique_ptr<DecoderLayer>> LoadGemma3Layer(const WeightLoader& loader,
                                                              int64_t layer) {
  ASSIGN_OR_RETURN(auto weights, LoadSharedWeights(loader, layer));
  ASSIGN_OR_RETURN(weights.attention.norms, LoadHeadNorms(loader, layer));
  // Here this one is on what attention gives, not before the mlp.
  ASSIGN_OR_RETURN(weights.attention_out_norm,
                   LoadLayerNorm(loader, layer, "post_attention_layernorm"));
  ASSIGN_OR_RETURN(weights.mlp_norm, LoadLayerNorm(loader, layer, "pre_feedforward_layernorm"));
  ASSIGN_OR_RETURN(weights.mlp_out_norm,
                   LoadLayerNorm(loader, layer, "post_feedforward_layernorm"));
  return std::make_unique<PreNormLayer>(std::move(weights));
}

}  // namespace mozgach
