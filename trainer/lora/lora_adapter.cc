#include "trainer/lora/lora_adapter.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "trainer/data/random.h"

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

// PEFT's kaiming_uniform(a = sqrt(5)).
at::Tensor DrawA(int64_t rank, int64_t in, Random random) {
  at::Tensor a = at::empty({rank, in}, at::kFloat);
  const double bound = 1.0 / std::sqrt(static_cast<double>(in));
  float* values = a.mutable_data_ptr<float>();
  for (int64_t i = 0; i < a.numel(); ++i) {
    values[i] = static_cast<float>((2.0 * random.Uniform() - 1.0) * bound);
  }
  return a;
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

double LoraScaling(double alpha, int64_t rank, bool use_rslora) {
  const auto r = static_cast<double>(rank);
  return alpha / (use_rslora ? std::sqrt(r) : r);
}

absl::StatusOr<LoraAdapter> LoraAdapter::Create(const ModelConfig& config, const LoraSpec& lora,
                                                int64_t seed, const at::Device& device) {
  RETURN_IF_ERROR(CheckSupported(lora));
  ASSIGN_OR_RETURN(const auto targets, Targets(lora));
  ASSIGN_OR_RETURN(const auto layers, Layers(config, lora));
  LoraAdapter adapter;
  adapter.rank_ = lora.r;
  adapter.scaling_ = LoraScaling(lora.Alpha(), lora.r, lora.use_rslora);
  adapter.dropout_ = lora.lora_dropout;
  for (int64_t layer : layers) {
    for (Projection projection : targets) {
      const auto [out, in] = ProjectionShape(config, projection);
      const Random random(static_cast<uint64_t>(seed), RandomStream::kLoraInit,
                          static_cast<uint32_t>(layer), static_cast<uint32_t>(projection));
      LoraPair pair;
      pair.a = DrawA(lora.r, in, random).to(device).requires_grad_(true);
      pair.b = at::zeros({out, lora.r}, at::TensorOptions().dtype(at::kFloat).device(device))
                   .requires_grad_(true);
      adapter.pairs_[{layer, projection}] = pair;
    }
  }
  return adapter;
}

const LoraPair* LoraAdapter::Find(int64_t layer, Projection projection) const {
  auto pair = pairs_.find({layer, projection});
  return pair == pairs_.end() ? nullptr : &pair->second;
}

int64_t LoraAdapter::TrainableParameters() const {
  int64_t count = 0;
  for (const auto& [place, pair] : pairs_) count += pair.a.numel() + pair.b.numel();
  return count;
}

int64_t LoraAdapter::LowestLayer() const {
  return pairs_.empty() ? 0 : pairs_.begin()->first.first;
}

std::vector<std::pair<std::string, at::Tensor>> LoraAdapter::NamedTensors(
    const ModelConfig& config) const {
  const std::string layers = config.LayersPath();
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const auto& [place, pair] : pairs_) {
    tensors.emplace_back(PeftName(layers, place.first, place.second, "lora_A"), pair.a);
    tensors.emplace_back(PeftName(layers, place.first, place.second, "lora_B"), pair.b);
  }
  return tensors;
}

std::string PeftName(const std::string& layers_path, int64_t layer, Projection projection,
                     const char* matrix) {
  return absl::StrCat("base_model.model.", layers_path, ".", layer, ".",
                      ModulePath(projection), ".", matrix, ".weight");
}

}  // namespace mozgach
