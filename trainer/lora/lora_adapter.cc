#include "trainer/lora/lora_adapter.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "absl/strings/str_cat.h"
#include "common/random.h"
#include "trainer/memory/counted_memory.h"

namespace mozgach {
namespace {

// Draws A as PEFT does: kaiming_uniform(a = sqrt(5)).
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

double LoraScaling(double alpha, int64_t rank, bool use_rslora) {
  const auto r = static_cast<double>(rank);
  return alpha / (use_rslora ? std::sqrt(r) : r);
}

absl::StatusOr<LoraAdapter> LoraAdapter::Create(const ModelConfig& config, const LoraSpec& lora,
                                                int64_t seed, const at::Device& device) {
  ASSIGN_OR_RETURN(const AdapterShape shape, ShapeOfAdapter(config, lora));
  const MemoryScope scope(MemoryLine::kAdapter);
  LoraAdapter adapter;
  adapter.rank_ = lora.r;
  adapter.scaling_ = LoraScaling(lora.Alpha(), lora.r, lora.use_rslora);
  adapter.dropout_ = lora.lora_dropout;
  for (const int64_t layer : shape.layers) {
    for (const Projection projection : shape.targets) {
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
  return absl::StrCat("base_model.model.", layers_path, ".", layer, ".", ModulePath(projection),
                      ".", matrix, ".weight");
}

}  // namespace mozgach
