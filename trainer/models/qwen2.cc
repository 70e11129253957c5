// Qwen2 and Qwen2.5: biases on q, k and v, none elsewhere; a window in the upper layers where it is
// switched on.
#include "trainer/models/families.h"

namespace mozgach {

absl::StatusOr<std::unique_ptr<DecoderLayer>> LoadQwen2Layer(const WeightLoader& loader,
                                                             int64_t layer) {
  ASSIGN_OR_RETURN(auto weights, LoadSharedWeights(loader, layer));
  ASSIGN_OR_RETURN(weights.mlp_norm, LoadLayerNorm(loader, layer, "post_attention_layernorm"));
  return std::make_unique<PreNormLayer>(std::move(weights));
}

}  // namespace mozgach
