// The model families: each is one file that says how its layers are made from stored tensors.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/status.h"
#include "trainer/models/decoder_layer.h"
#include "trainer/models/weight_loader.h"

namespace mozgach {

absl::StatusOr<std::unique_ptr<DecoderLayer>> LoadQwen2Layer(const WeightLoader& loader,
                                                             int64_t layer);
absl::StatusOr<std::unique_ptr<DecoderLayer>> LoadLlamaLayer(const WeightLoader& loader,
                                                             int64_t layer);

using LayerLoader = absl::StatusOr<std::unique_ptr<DecoderLayer>> (*)(const WeightLoader& loader,
                                                                      int64_t layer);

// By ModelConfig::model_type.  INVALID_ARGUMENT for a family we do not have.
absl::StatusOr<LayerLoader> FindFamily(const std::string& model_type);

// The block that Qwen2 and Llama share; biases as the config says.
absl::StatusOr<std::unique_ptr<DecoderLayer>> LoadPreNormLayer(const WeightLoader& loader,
                                                               int64_t layer, bool qkv_bias,
                                                               bool output_bias, bool mlp_bias);

}  // namespace mozgach
