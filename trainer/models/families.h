// The model families: each is one file that says how its layers are made from stored tensors.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/status.h"
#include "trainer/models/decoder_layer.h"
#include "trainer/models/weight_loader.h"

namespace mozgach {

using LayerLoader = absl::StatusOr<std::unique_ptr<DecoderLayer>> (*)(const WeightLoader& loader,
                                                                      int64_t layer);

absl::StatusOr<std::unique_ptr<DecoderLayer>> LoadGemma3Layer(const WeightLoader&, int64_t layer);
absl::StatusOr<std::unique_ptr<DecoderLayer>> LoadLlamaLayer(const WeightLoader&, int64_t layer);
absl::StatusOr<std::unique_ptr<DecoderLayer>> LoadMistralLayer(const WeightLoader&, int64_t layer);
absl::StatusOr<std::unique_ptr<DecoderLayer>> LoadQwen2Layer(const WeightLoader&, int64_t layer);
absl::StatusOr<std::unique_ptr<DecoderLayer>> LoadQwen3Layer(const WeightLoader&, int64_t layer);

// By ModelConfig::model_type.  INVALID_ARGUMENT for a family we do not have.
absl::StatusOr<LayerLoader> FindFamily(const std::string& model_type);

// What the families share: attention and gated unit, with the biases, window, rope and activation
// that the config says, and the norm before attention.  The other norms are the family's.
absl::StatusOr<PreNormLayer::Weights> LoadSharedWeights(const WeightLoader& loader, int64_t layer);

// Norms of queries and keys, self_attn.q_norm and k_norm.
absl::StatusOr<HeadNorms> LoadHeadNorms(const WeightLoader& loader, int64_t layer);

// A norm of the layer, "<name>.weight".
absl::StatusOr<at::Tensor> LoadLayerNorm(const WeightLoader& loader, int64_t layer,
                                         const std::string& name);

}  // namespace mozgach
