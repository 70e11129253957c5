// The PEFT directory of an adapter, as PeftModel.from_pretrained, vLLM and the hub read it:
// adapter_model.safetensors, adapter_config.json, README.md (a model card), and our metrics.json.
// Format: PEFT, docs/source/developer_guides/checkpoint.md and LoraConfig.
#pragma once

#include <filesystem>
#include <string>

#include "common/domain/domain_spec.h"
#include "common/status.h"
#include "nlohmann/json_fwd.hpp"
#include "planner/model_config.h"
#include "trainer/lora/lora_adapter.h"

namespace mozgach {

// Facts about an adapter for its files.
struct AdapterFacts {
  std::string base_digest;
  int64_t train_rows = 0;
  int64_t steps = 0;
  int64_t tokens = 0;
  double train_seconds = 0;
};

// Writes the four files into `dir`, which is created if needed. Each file is written atomically,
// adapter_config.json last, so that a reader finds a complete adapter or none. `metrics` is
// {"base": {…}, "adapter": {…}}.
absl::Status WritePeftDirectory(const std::filesystem::path& dir, const DomainSpec& spec,
                                const ModelConfig& config, const LoraAdapter& adapter,
                                const nlohmann::json& metrics, const AdapterFacts& facts);

// Returns the content of adapter_config.json for a base of this shape.
nlohmann::json PeftConfig(const DomainSpec& spec, const ModelConfig& base);

}  // namespace mozgach
