// The type in which products and activations are computed: as the domain file says, or whichever is
// faster here.  On processors without bfloat16 instructions float32 is, by far; a flag of the
// processor does not tell, so it is measured.
#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <string>

#include "common/status.h"
#include "planner/model_config.h"

namespace mozgach {

// "float32", "bfloat16"; anything else is INVALID_ARGUMENT.
absl::StatusOr<at::ScalarType> ParseComputeType(const std::string& name);
std::string ComputeTypeName(at::ScalarType type);

// Times a product of this model's own shape in both types, with the threads that are set.  bfloat16
// only where it wins clearly, since float32 is the more exact.  Milliseconds for a small model, a
// few hundred for a large one.
at::ScalarType MeasureComputeType(const ModelConfig& config, const at::Device& device);

}  // namespace mozgach
