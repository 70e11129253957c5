// Writes an adapter for mlx-lm (mlx_lm.generate --adapter-path): adapters.safetensors and
// adapter_config.json. Format: mlx-lm, mlx_lm/tuner/utils.py and lora.py.
#pragma once

#include <filesystem>

#include "common/domain/domain_spec.h"
#include "common/status.h"
#include "nlohmann/json_fwd.hpp"
#include "planner/model_config.h"
#include "trainer/lora/lora_adapter.h"

namespace mozgach {

// Writes the two files into `dir`, which is created if needed. Each file is written atomically,
// adapter_config.json last. Matrices are the transposes of PEFT's: lora_a [in, r] and lora_b [r,
// out]. mlx-lm adapts a number of layers counted back from the last one. So every layer from the
// lowest adapted one to the last is written, with zeros for layers that are not adapted.
absl::Status WriteMlxDirectory(const std::filesystem::path& dir, const DomainSpec& spec,
                               const ModelConfig& config, const LoraAdapter& adapter);

// Returns the content of adapter_config.json.
nlohmann::json MlxConfig(const DomainSpec& spec, const ModelConfig& config,
                         const LoraAdapter& adapter);

}  // namespace mozgach
