// Llama 1 to 3.3: no biases unless asked for; 3.1 and later stretch their rope.
#include "trainer/models/families.h"

namespace mozgach {

absl::StatusOr<std::unique_ptr<DecoderLayer>> LoadLlamaLayer(const WeightLoader& loader,
                                                             int64_t layer) {
  ASSIGN_OR_RETURN(auto weights, LoadSharedWeights(loader, layer));
  ASSIGN_OR_RETURN(weights.mlp_norm, LoadLayerNorm(loader, layer, "post_attention_layernorm"));
  return std::make_unique<PreNormLayer>(std::move(weights));
}

}  // namespace mozgach
