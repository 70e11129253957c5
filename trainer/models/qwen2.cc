// Qwen2 and Qwen2.5: biases on q, k and v, none elsewhere, whatever the config says.
#include "trainer/models/families.h"

namespace mozgach {

absl::StatusOr<std::unique_ptr<DecoderLayer>> LoadQwen2Layer(const WeightLoader& loader,
                                                             int64_t layer) {
  return LoadPreNormLayer(loader, layer, /*qkv_bias=*/true, /*output_bias=*/false,
                          /*mlp_bias=*/false);
}

}  // namespace mozgach
