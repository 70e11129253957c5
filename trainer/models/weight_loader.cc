#include "trainer/models/weight_loader.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include "absl/strings/str_cat.h"

namespace mozgach {

std::string LayerTensorName(int64_t layer, const std::string& rest) {
  return absl::StrCat("model.layers.", layer, ".", rest);
}

absl::StatusOr<at::Tensor> WeightLoader::Floating(const std::string& name,
                                                  const std::vector<int64_t>& shape) const {
  ASSIGN_OR_RETURN(at::Tensor stored, files_.Read(name, shape));
  if (!at::isFloatingType(stored.scalar_type())) {
    return absl::DataLossError(absl::StrCat(files_.PathOf(name).string(), ": tensor '", name,
                                            "' holds ", c10::toString(stored.scalar_type()),
                                            ", not floating numbers"));
  }
  return stored;
}

absl::StatusOr<at::Tensor> WeightLoader::Dense(const std::string& name,
                                               const std::vector<int64_t>& shape) const {
  ASSIGN_OR_RETURN(const at::Tensor stored, Floating(name, shape));
  at::Tensor dense = stored.to(options_.device, options_.compute_dtype, /*non_blocking=*/false,
                               /*copy=*/true);
  files_.Release(name);
  return dense;
}

absl::StatusOr<at::Tensor> WeightLoader::Norm(const std::string& name, int64_t size) const {
  if (!config_.norms_from_one) return Dense(name, {size});
  ASSIGN_OR_RETURN(const at::Tensor stored, Floating(name, {size}));
  return stored.to(at::kFloat, /*non_blocking=*/false, /*copy=*/true).add_(1.0).to(options_.device);
}

absl::StatusOr<QuantizedWeight> WeightLoader::Quantized(const std::string& name,
                                                        const std::vector<int64_t>& shape) const {
  ASSIGN_OR_RETURN(const at::Tensor stored, files_.Read(name, shape));
  auto quantized = QuantizeNf4(stored, options_.double_quant);
  if (!quantized.ok()) {
    return Annotate(quantized.status(),
                    absl::StrCat(files_.PathOf(name).string(), ": tensor '", name, "'"));
  }
  files_.Release(name);
  return quantized->To(options_.device);
}

absl::StatusOr<FrozenWeight> WeightLoader::QuantizedGroup(const std::vector<Part>& parts) const {
  std::vector<QuantizedWeight> quantized;
  for (const Part& part : parts) {
    ASSIGN_OR_RETURN(quantized.emplace_back(), Quantized(part.name, {part.rows, part.columns}));
  }
  return FrozenWeight::Quantized(std::move(quantized), options_.compute_dtype);
}

absl::StatusOr<FrozenWeight> WeightLoader::DenseGroup(const std::vector<Part>& parts) const {
  int64_t rows = 0;
  for (const Part& part : parts) rows += part.rows;
  at::Tensor weight =
      at::empty({rows, parts.front().columns},
                at::TensorOptions().dtype(options_.compute_dtype).device(options_.device));
  int64_t row = 0;
  for (const Part& part : parts) {
    ASSIGN_OR_RETURN(const at::Tensor stored, Floating(part.name, {part.rows, part.columns}));
    weight.narrow(0, row, part.rows).copy_(stored);
    files_.Release(part.name);
    row += part.rows;
  }
  return FrozenWeight::Dense(weight);
}

absl::StatusOr<AdaptedLinear> WeightLoader::Linear(int64_t layer,
                                                   const std::vector<Projection>& projections,
                                                   bool biased) const {
  AdaptedLinear linear;
  linear.layer = layer;
  linear.projections = projections;
  std::vector<Part> parts;
  std::vector<at::Tensor> biases;
  for (Projection projection : projections) {
    const auto [out, in] = ProjectionShape(config_, projection);
    const std::string path = LayerTensorName(layer, ModulePath(projection));
    linear.rows.push_back(out);
    parts.push_back({path + ".weight", out, in});
    if (biased) {
      ASSIGN_OR_RETURN(biases.emplace_back(), Dense(path + ".bias", {out}));
    }
  }
  ASSIGN_OR_RETURN(linear.weight, options_.quantize ? QuantizedGroup(parts) : DenseGroup(parts));
  if (biased) linear.bias = biases.size() == 1 ? biases[0] : at::cat(biases);
  return linear;
}

}  // namespace mozgach
