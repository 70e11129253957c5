// What adapter_config.json of a PEFT directory says about the tensors beside it.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"

namespace mozgach {

struct AdapterConfig {
  uint64_t rank = 0;
  std::string base;
  // Names of modules, or of the ends of their paths.  Empty: a pattern or "all-linear", which can
  // mean any module.
  std::set<std::string> target_modules;
  std::map<std::string, uint64_t> rank_pattern;  // by the end of a module's path
  std::set<uint64_t> other_ranks;  // ranks of patterns that are not just the end of a path
  std::set<uint64_t> layers;       // empty: every layer
  std::set<std::string> modules_to_save;
  bool dora = false;
  bool lora_bias = false;
  bool trains_bias = false;
  bool trains_tokens = false;
};

// INVALID_ARGUMENT: it is not JSON, not a LoRA adapter, or a key that readers need is missing or of
// a wrong type.
absl::StatusOr<AdapterConfig> ReadAdapterConfig(std::string_view text);

}  // namespace mozgach
