// Qwen3: norms on each query and key head, and heads whose size is not hidden / heads.
#include "trainer/models/families.h"

namespace mozgach {

absl::StatusOr<std::unique_ptr<DecoderLayer>> LoadQwen3Layer(const WeightLoader& loader,
                                                             int64_t layer) {
  ASSIGN_OR_RETURN(auto weights, LoadSharedWeights(loader, layer));
  ASSIGN_OR_RETURN(weights.attention.norms, LoadHeadNorms(loader, layer));
  ASSIGN_OR_RETURN(weights.mlp_norm, LoadLayerNorm(loader, layer, "post_attention_layernorm"));
  return std::make_unique<PreNormLayer>(std::move(weights));
}

}  // namespace mozgach
