// LoraAdapter::Load() reads a PEFT directory (peft, docs/source/developer_guides/checkpoint.md).
#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "common/json_text.h"
#include "nlohmann/json.hpp"
#include "trainer/checkpoint/weight_files.h"
#include "trainer/lora/lora_adapter.h"

namespace mozgach {
namespace {

using nlohmann::json;

constexpr uint64_t kConfigLimitBytes = uint64_t{1} << 20;
constexpr int64_t kLargestRank = 65536;

struct PeftConfig {
  int64_t rank = 0;
  double scaling = 1;
  double dropout = 0;
};

bool IsUnset(const json& config, const char* key) {
  auto value = config.find(key);
  return value == config.end() || value->is_null() || *value == false ||
         ((value->is_object() || value->is_array()) && value->empty());
}

absl::Status CheckSupported(const json& config) {
  for (const char* key :
       {"use_dora", "rank_pattern", "alpha_pattern", "modules_to_save", "lora_bias",
        "layer_replication", "target_parameters", "trainable_token_indices", "fan_in_fan_out"}) {
    if (IsUnset(config, key)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("'", key, "' is set, which is not supported yet"));
  }
  if (config.value("bias", json("none")) != "none") {
    return absl::InvalidArgumentError("'bias' other than none is not supported yet");
  }
  return absl::OkStatus();
}

absl::StatusOr<PeftConfig> ParseConfig(const std::string& text) {
  ASSIGN_OR_RETURN(const json config, ParseJson(text));
  if (!config.is_object()) return absl::DataLossError("not a JSON object");
  if (config.value("peft_type", json()) != "LORA") {
    return absl::InvalidArgumentError("'peft_type' is not LORA");
  }
  RETURN_IF_ERROR(CheckSupported(config));
  const json rank = config.value("r", json());
  const json alpha = config.value("lora_alpha", json());
  const json dropout = config.value("lora_dropout", json(0.0));
  if (!rank.is_number_integer() || rank < 1 || rank > kLargestRank) {
    return absl::InvalidArgumentError(absl::StrCat("'r' is not a rank from 1 to ", kLargestRank));
  }
  if (!alpha.is_number()) return absl::InvalidArgumentError("'lora_alpha' is not a number");
  if (!dropout.is_number() || dropout < 0 || dropout >= 1) {
    return absl::InvalidArgumentError("'lora_dropout' is not in [0, 1)");
  }
  PeftConfig result;
  result.rank = rank.get<int64_t>();
  result.scaling = LoraScaling(alpha.get<double>(), result.rank, !IsUnset(config, "use_rslora"));
  result.dropout = dropout.get<double>();
  return result;
}

absl::StatusOr<at::Tensor> ReadLeaf(const WeightFiles& weights, const std::string& name,
                                    const std::vector<int64_t>& shape, const at::Device& device) {
  auto stored = weights.Read(name, shape);
  if (absl::IsDataLoss(stored.status())) {
    return absl::InvalidArgumentError(
        absl::StrCat(stored.status().message(), ": the adapter was trained on another base"));
  }
  RETURN_IF_ERROR(stored.status());
  if (!at::isFloatingType(stored->scalar_type())) {
    return absl::InvalidArgumentError(
        absl::StrCat("tensor '", name, "' does not hold floating-point numbers"));
  }
  return stored->to(device, at::kFloat, /*non_blocking=*/false, /*copy=*/true).requires_grad_(true);
}

// Finds the layers path in the tensor names. Adapters of multimodal models have been written with
// several different paths.
std::string LayersPathIn(const std::vector<std::string>& names, const ModelConfig& config) {
  for (const std::string& path :
       {config.LayersPath(), std::string("model.layers"),
        std::string("model.language_model.layers"), std::string("language_model.model.layers")}) {
    const std::string prefix = absl::StrCat("base_model.model.", path, ".");
    if (std::any_of(names.begin(), names.end(),
                    [&](const std::string& name) { return absl::StartsWith(name, prefix); })) {
      return path;
    }
  }
  return config.LayersPath();
}

}  // namespace

absl::StatusOr<LoraAdapter> LoraAdapter::Load(const std::filesystem::path& peft_dir,
                                              const ModelConfig& config, const at::Device& device) {
  const auto config_path = peft_dir / "adapter_config.json";
  ASSIGN_OR_RETURN(const std::string text, ReadFile(config_path, kConfigLimitBytes));
  auto peft = ParseConfig(text);
  if (!peft.ok()) return Annotate(peft.status(), config_path.string());
  ASSIGN_OR_RETURN(const WeightFiles weights,
                   WeightFiles::OpenFile(peft_dir / "adapter_model.safetensors"));
  const std::vector<std::string> names = weights.Names();
  const std::string layers = LayersPathIn(names, config);
  LoraAdapter adapter;
  adapter.rank_ = peft->rank;
  adapter.scaling_ = peft->scaling;
  adapter.dropout_ = peft->dropout;
  std::set<std::string> read;
  for (int64_t layer = 0; layer < config.num_hidden_layers; ++layer) {
    for (int index = 0; index < kProjections; ++index) {
      const auto projection = static_cast<Projection>(index);
      const std::string a_name = PeftName(layers, layer, projection, "lora_A");
      const std::string b_name = PeftName(layers, layer, projection, "lora_B");
      if (!weights.Contains(a_name) && !weights.Contains(b_name)) continue;
      const auto [out, in] = ProjectionShape(config, projection);
      LoraPair pair;
      ASSIGN_OR_RETURN(pair.a, ReadLeaf(weights, a_name, {peft->rank, in}, device));
      ASSIGN_OR_RETURN(pair.b, ReadLeaf(weights, b_name, {out, peft->rank}, device));
      adapter.pairs_[{layer, projection}] = pair;
      read.insert({a_name, b_name});
    }
  }
  if (read.size() == names.size() && !read.empty()) return adapter;
  for (const std::string& name : names) {
    if (read.count(name) == 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          (peft_dir / "adapter_model.safetensors").string(), ": tensor '", name,
          "' does not fit any layer of this base: the adapter was trained on another base"));
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat((peft_dir / "adapter_model.safetensors").string(), ": holds no tensors"));
}

}  // namespace mozgach
