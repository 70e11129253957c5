// The type of products and activations: as the domain file says, or the faster one on this device.
// Processors without bfloat16 instructions are much faster in float32. CPU flags do not show this
// reliably, so it is measured.
#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <string>

#include "common/status.h"
#include "planner/model_config.h"

namespace mozgach {

// Parses "float32" or "bfloat16"; INVALID_ARGUMENT for anything else.
absl::StatusOr<at::ScalarType> ParseComputeType(const std::string& name);
std::string ComputeTypeName(at::ScalarType type);

// Measures a product with this model's shape in both types, with the configured threads. Returns
// bfloat16 only if it is clearly faster, because float32 is more exact. Takes milliseconds for a
// small model, a few hundred for a large one.
at::ScalarType MeasureComputeType(const ModelConfig& config, const at::Device& device);

}  // namespace mozgach
