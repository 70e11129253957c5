#include "planner/adapter_shape.h"

#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace mozgach {
namespace {

constexpr std::array<const char*, kProjections> kPaths = {
    "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
    "mlp.gate_proj",    "mlp.up_proj",      "mlp.down_proj"};

constexpr std::array<Projection, kProjections> kAll = {
    Projection::kQ,    Projection::kK,  Projection::kV,   Projection::kO,
    Projection::kGate, Projection::kUp, Projection::kDown};

// As in PEFT: the name itself or the end of the module's path.
bool Names(const std::string& target, Projection projection) {
  const std::string path = ModulePath(projection);
  return path == target || absl::EndsWith(path, "." + target);
}

absl::StatusOr<std::set<Projection>> Targets(const LoraSpec& lora) {
  std::set<Projection> targets;
  for (const std::string& name : lora.target_modules) {
    bool found = false;
    for (Projection projection : kAll) {
      if (name != "all-linear" && !Names(name, projection)) continue;
      targets.insert(projection);
      found = true;
    }
    if (!found) {
      return absl::InvalidArgumentError(
          absl::StrCat("lora.target_modules: this base has no '", name,
                       "'; it has q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj and down_proj "
                       "(all-linear means them all)"));
    }
  }
  if (targets.empty()) {
    return absl::InvalidArgumentError("lora.target_modules: names no layer; all-linear names all");
  }
  return targets;
}

absl::StatusOr<std::set<int64_t>> Layers(const ModelConfig& config, const LoraSpec& lora) {
  std::set<int64_t> layers;
  if (!lora.layers_to_transform) {
    for (int64_t layer = 0; layer < config.num_hidden_layers; ++layer) layers.insert(layer);
    return layers;
  }
  for (int64_t layer : *lora.layers_to_transform) {
    if (layer < 0 || layer >= config.num_hidden_layers) {
      return absl::InvalidArgumentError(
          absl::StrCat("lora.layers_to_transform: this base has no layer ", layer, "; it has 0 to ",
                       config.num_hidden_layers - 1));
    }
    layers.insert(layer);
  }
  if (layers.empty()) {
    return absl::InvalidArgumentError(
        "lora.layers_to_transform: names no layer; leave it out for all");
  }
  return layers;
}

absl::Status CheckSupported(const LoraSpec& lora) {
  if (lora.r < 1) return absl::InvalidArgumentError("lora.r: must be at least 1");
  if (lora.bias != "none") {
    return absl::InvalidArgumentError(
        absl::StrCat("lora.bias: '", lora.bias, "' is not supported yet; none is"));
  }
  if (!lora.modules_to_save.empty()) {
    return absl::InvalidArgumentError("lora.modules_to_save: not supported yet; leave it out");
  }
  return absl::OkStatus();
}

}  // namespace

const char* ModulePath(Projection projection) { return kPaths[static_cast<size_t>(projection)]; }

std::pair<int64_t, int64_t> ProjectionShape(const ModelConfig& config, Projection projection) {
  const int64_t queries = config.num_attention_heads * config.head_dim;
  const int64_t keys = config.num_key_value_heads * config.head_dim;
  switch (projection) {
    case Projection::kQ:
      return {queries, config.hidden_size};
    case Projection::kK:
    case Projection::kV:
      return {keys, config.hidden_size};
    case Projection::kO:
      return {config.hidden_size, queries};
    case Projection::kGate:
    case Projection::kUp:
      return {config.intermediate_size, config.hidden_size};
    case Projection::kDown:
      break;
  }
  return {config.hidden_size, config.intermediate_size};
}

int64_t AdapterShape::Parameters(const ModelConfig& config, Projection projection) const {
  const auto [out, in] = ProjectionShape(config, projection);
  return rank * (out + in);
}

int64_t AdapterShape::ParametersPerLayer(const ModelConfig& config) const {
  int64_t count = 0;
  for (const Projection projection : targets) count += Parameters(config, projection);
  return count;
}

int64_t AdapterShape::Parameters(const ModelConfig& config) const {
  return static_cast<int64_t>(layers.size()) * ParametersPerLayer(config);
}

absl::StatusOr<AdapterShape> ShapeOfAdapter(const ModelConfig& config, const LoraSpec& lora) {
  RETURN_IF_ERROR(CheckSupported(lora));
  AdapterShape shape;
  shape.rank = lora.r;
  ASSIGN_OR_RETURN(shape.targets, Targets(lora));
  ASSIGN_OR_RETURN(shape.layers, Layers(config, lora));
  return shape;
}

}  // namespace mozgach
