// Mistral: Llama's block, with a window in every layer where the config has one.
#include "trainer/models/families.h"

namespace mozgach {

absl::StatusOr<std::unique_ptr<DecoderLayer>> LoadMistralLayer(const WeightLoader& loader,
                                                               int64_t layer) {
  ASSIGN_OR_RETURN(auto weights, LoadSharedWeights(loader, layer));
  ASSIGN_OR_RETURN(weights.mlp_norm, LoadLayerNorm(loader, layer, "post_attention_layernorm"));
  return std::make_unique<PreNormLayer>(std::move(weights));
}

}  // namespace mozgach
