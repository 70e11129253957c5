// An adapter as mlx-lm reads it (mlx_lm.generate --adapter-path): adapters.safetensors and
// adapter_config.json. Format: mlx-lm, mlx_lm/tuner/utils.py and lora.py.
#pragma once

#include <filesystem>

#include "common/domain/domain_spec.h"
#include "common/status.h"
#include "nlohmann/json_fwd.hpp"
#include "planner/model_config.h"
#include "trainer/lora/lora_adapter.h"

namespace mozgach {

// Writes the two files into `dir`, which is made where needed; each appears whole, and
// adapter_config.json last. Matrices are PEFT's transposed: lora_a [in, r] and lora_b [r, out].
// mlx-lm adapts a number of layers counted back from the last one, so between the lowest adapted
// layer and the last every layer is written, with zeros where the adapter has none.
absl::Status WriteMlxDirectory(const std::filesystem::path& dir, const DomainSpec& spec,
                               const ModelConfig& config, const LoraAdapter& adapter);

// adapter_config.json's content.
nlohmann::json MlxConfig(const DomainSpec& spec, const ModelConfig& config,
                         const LoraAdapter& adapter);

}  // namespace mozgach
