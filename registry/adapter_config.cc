#include "registry/adapter_config.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/json_text.h"
#include "nlohmann/json.hpp"

namespace mozgach {
namespace {

using nlohmann::json;

constexpr int64_t kPeftConfigValuesMax = 100'000;
constexpr uint64_t kRankMax = 1 << 20;

absl::Status WrongKey(const char* key, const char* what) {
  return absl::InvalidArgumentError(absl::StrCat("its key '", key, "' ", what));
}

// Null where the key is missing, or is null, as PEFT writes what is not used.
const json& KeyAt(const json& config, const char* key) {
  static const json kNull;
  const auto found = config.find(key);
  return found == config.end() ? kNull : *found;
}

absl::StatusOr<std::string> TextAt(const json& config, const char* key) {
  const json& value = KeyAt(config, key);
  if (value.is_string() && !value.get_ref<const std::string&>().empty()) {
    return value.get<std::string>();
  }
  return WrongKey(key, value.is_null() ? "is missing" : "is not text");
}

absl::StatusOr<bool> FlagAt(const json& config, const char* key) {
  const json& value = KeyAt(config, key);
  if (value.is_null()) return false;
  if (value.is_boolean()) return value.get<bool>();
  return WrongKey(key, "is neither true nor false");
}

absl::StatusOr<std::set<std::string>> NamesAt(const json& config, const char* key) {
  std::set<std::string> names;
  const json& value = KeyAt(config, key);
  if (value.is_null()) return names;
  if (!value.is_array()) return WrongKey(key, "is not a list of names");
  for (const json& name : value) {
    if (!name.is_string() || name.get_ref<const std::string&>().empty()) {
      return WrongKey(key, "is not a list of names");
    }
    names.insert(name.get<std::string>());
  }
  return names;
}

bool IsRank(const json& value) {
  return value.is_number_unsigned() && value.get<uint64_t>() >= 1 &&
         value.get<uint64_t>() <= kRankMax;
}

absl::Status ReadTargets(const json& root, AdapterConfig& config) {
  const json& targets = KeyAt(root, "target_modules");
  if (targets.is_null()) return WrongKey("target_modules", "is missing");
  // A pattern is not evaluated here: patterns exist that take for ever.
  if (targets.is_string()) return TextAt(root, "target_modules").status();
  ASSIGN_OR_RETURN(config.target_modules, NamesAt(root, "target_modules"));
  if (config.target_modules.empty()) return WrongKey("target_modules", "is an empty list");
  return absl::OkStatus();
}

absl::Status ReadRanks(const json& root, AdapterConfig& config) {
  const json& rank = KeyAt(root, "r");
  if (rank.is_null()) return WrongKey("r", "is missing");
  if (!IsRank(rank)) return WrongKey("r", "is not a whole number from 1 on");
  config.rank = rank.get<uint64_t>();
  const json& pattern = KeyAt(root, "rank_pattern");
  if (!pattern.is_null() && !pattern.is_object()) {
    return WrongKey("rank_pattern", "is not an object of names and ranks");
  }
  for (const auto& [name, value] : pattern.items()) {
    if (!IsRank(value)) return WrongKey("rank_pattern", "is not an object of names and ranks");
    if (name.find_first_of("^$*+?[](){}|\\") == std::string::npos) {
      config.rank_pattern[name] = value.get<uint64_t>();
    } else {
      config.other_ranks.insert(value.get<uint64_t>());
    }
  }
  const json& alpha = KeyAt(root, "lora_alpha");
  if (alpha.is_null() || alpha.is_number()) return absl::OkStatus();
  return WrongKey("lora_alpha", "is not a number");
}

absl::Status ReadLayers(const json& root, AdapterConfig& config) {
  const json& layers = KeyAt(root, "layers_to_transform");
  if (layers.is_number_unsigned()) config.layers.insert(layers.get<uint64_t>());
  if (layers.is_null() || layers.is_number_unsigned()) return absl::OkStatus();
  if (!layers.is_array()) return WrongKey("layers_to_transform", "is not a list of layers");
  for (const json& layer : layers) {
    if (!layer.is_number_unsigned())
      return WrongKey("layers_to_transform", "is not a list of layers");
    config.layers.insert(layer.get<uint64_t>());
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<AdapterConfig> ReadAdapterConfig(std::string_view text) {
  RETURN_IF_ERROR(CheckJsonShape(text, kPeftConfigValuesMax));
  ASSIGN_OR_RETURN(const json root, ParseJson(text));
  if (!root.is_object()) return absl::InvalidArgumentError("it is not a JSON object");
  AdapterConfig config;
  ASSIGN_OR_RETURN(const std::string type, TextAt(root, "peft_type"));
  if (type != "LORA") {
    return absl::InvalidArgumentError(
        absl::StrCat("its peft_type is ", absl::CHexEscape(type.substr(0, 80)), ", not LORA"));
  }
  ASSIGN_OR_RETURN(config.base, TextAt(root, "base_model_name_or_path"));
  RETURN_IF_ERROR(ReadRanks(root, config));
  RETURN_IF_ERROR(ReadTargets(root, config));
  RETURN_IF_ERROR(ReadLayers(root, config));
  ASSIGN_OR_RETURN(config.modules_to_save, NamesAt(root, "modules_to_save"));
  ASSIGN_OR_RETURN(config.dora, FlagAt(root, "use_dora"));
  ASSIGN_OR_RETURN(config.lora_bias, FlagAt(root, "lora_bias"));
  RETURN_IF_ERROR(FlagAt(root, "use_rslora").status());
  if (const json& bias = KeyAt(root, "bias"); !bias.is_null()) {
    if (bias != "none" && bias != "all" && bias != "lora_only") {
      return WrongKey("bias", "is neither none, all nor lora_only");
    }
    config.trains_bias = bias != "none";
  }
  config.trains_tokens = !KeyAt(root, "trainable_token_indices").is_null();
  return config;
}

}  // namespace mozgach
