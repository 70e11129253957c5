// Whether the tensors of a PEFT directory are those that its adapter_config.json describes.
#pragma once

#include <vector>

#include "common/status.h"
#include "registry/adapter_config.h"
#include "registry/tensor_header.h"

namespace mozgach {

// OK when every tensor is a part of a LoRA pair of a target module, or one that the configuration
// names otherwise; every lora_A has its lora_B, both of the rank that the configuration gives; and
// every target module that is named has tensors.  INVALID_ARGUMENT names the tensor or the module.
absl::Status CheckAdapterTensors(const AdapterConfig& config,
                                 const std::vector<TensorInfo>& tensors);

}  // namespace mozgach
