// Builds the layers of a base from stored tensors. What differs between families (biases, windows,
// ropes, norms) is read from ModelConfig, which planner/model_family.cc fills.
#pragma once

#include <cstdint>
#include <memory>

#include "common/status.h"
#include "trainer/models/decoder_layer.h"
#include "trainer/models/weight_loader.h"

namespace mozgach {

// Loads layer `layer`, counted from 0. Errors are those of WeightLoader.
absl::StatusOr<std::unique_ptr<DecoderLayer>> LoadLayer(const WeightLoader& loader, int64_t layer);

}  // namespace mozgach
