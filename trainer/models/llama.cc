// Llama 1 to 3 and what is shaped like it (Mistral without a window): no biases unless asked for.
#include "trainer/models/families.h"

namespace mozgach {

absl::StatusOr<std::unique_ptr<DecoderLayer>> LoadLlamaLayer(const WeightLoader& loader,
                                                             int64_t layer) {
  const ModelConfig& config = loader.config();
  return LoadPreNormLayer(loader, layer, config.attention_bias, config.attention_output_bias,
                          config.mlp_bias);
}

}  // namespace mozgach
