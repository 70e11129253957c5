// Recognises quantised checkpoints that cannot be trained: GPTQ, AWQ, FP8, MXFP4 and the like.
//
// Supported weights are safetensors in 16 or 32 bits, and bitsandbytes in 4 bits.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/status.h"
#include "nlohmann/json.hpp"

namespace mozgach {

// Names and element types of tensors, as a safetensors header spells them ("F8_E4M3").
using TensorTypes = std::vector<std::pair<std::string, std::string>>;

// Checks the quantisation that a config.json declares, for the whole model or for its text part.
// INVALID_ARGUMENT names the method and says what to use instead.
absl::Status CheckQuantizationConfig(const nlohmann::json& config);

// The same, recognised by the names and types of the stored tensors.
absl::Status CheckTensorFormat(const TensorTypes& tensors);

// The error for a base whose weights are in `format` ("GPTQ"), because of `evidence`.
absl::Status UnsupportedQuantization(const std::string& format, const std::string& evidence);

}  // namespace mozgach
