#include "trainer/adapter/mlx_directory.h"

#include <ATen/ops/zeros.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "failpoint/failpoint.h"
#include "nlohmann/json.hpp"
#include "trainer/checkpoint/safetensors.h"

namespace mozgach {
namespace {

using Json = nlohmann::json;
using NamedTensor = std::pair<std::string, at::Tensor>;

// Returns the projections that any layer adapts: mlx-lm adapts the same ones in every layer.
std::vector<Projection> AdaptedProjections(const ModelConfig& config, const LoraAdapter& adapter) {
  std::vector<Projection> adapted;
  for (int i = 0; i < kProjections; ++i) {
    const auto projection = static_cast<Projection>(i);
    for (int64_t layer = 0; layer < config.num_hidden_layers; ++layer) {
      if (adapter.Find(layer, projection) == nullptr) continue;
      adapted.push_back(projection);
      break;
    }
  }
  return adapted;
}

// In mlx-lm the language model of an image-text model is one level deeper.
std::string LayerName(const ModelConfig& config, int64_t layer) {
  const bool inner = config.architecture.ends_with("ForConditionalGeneration");
  return absl::StrCat(inner ? "language_model." : "", "model.layers.", layer, ".");
}

std::vector<NamedTensor> MlxTensors(const ModelConfig& config, const LoraAdapter& adapter) {
  std::vector<NamedTensor> tensors;
  for (int64_t layer = adapter.LowestLayer(); layer < config.num_hidden_layers; ++layer) {
    for (const Projection projection : AdaptedProjections(config, adapter)) {
      const std::string name = LayerName(config, layer) + ModulePath(projection);
      const auto [out, in] = ProjectionShape(config, projection);
      const LoraPair* pair = adapter.Find(layer, projection);
      tensors.emplace_back(name + ".lora_a",
                           pair != nullptr ? pair->a.t() : at::zeros({in, adapter.rank()}));
      tensors.emplace_back(name + ".lora_b",
                           pair != nullptr ? pair->b.t() : at::zeros({adapter.rank(), out}));
    }
  }
  return tensors;
}

}  // namespace

Json MlxConfig(const DomainSpec& spec, const ModelConfig& config, const LoraAdapter& adapter) {
  Json keys = Json::array();
  for (const Projection projection : AdaptedProjections(config, adapter)) {
    keys.push_back(ModulePath(projection));
  }
  return {{"fine_tune_type", "lora"},
          {"model", spec.base},
          {"num_layers", config.num_hidden_layers - adapter.LowestLayer()},
          {"lora_parameters",
           {{"rank", adapter.rank()},
            {"scale", adapter.scaling()},
            {"dropout", adapter.dropout()},
            {"keys", std::move(keys)}}}};
}

absl::Status WriteMlxDirectory(const std::filesystem::path& dir, const DomainSpec& spec,
                               const ModelConfig& config, const LoraAdapter& adapter) {
  RETURN_IF_ERROR(MakeDirectories(dir));
  RETURN_IF_ERROR(
      DURABLE("trainer.mlx.write_tensors",
              WriteSafetensors(dir / "adapters.safetensors", MlxTensors(config, adapter), {})));
  return DURABLE("trainer.mlx.write_config",
                 WriteFileAtomically(dir / "adapter_config.json",
                                     MlxConfig(spec, config, adapter).dump(4) + "\n"));
}

}  // namespace mozgach
