#include "trainer/models/weight_loader.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/work_count.h"
#include "trainer/checkpoint/finite.h"
#include "trainer/memory/counted_memory.h"
#include "trainer/quant/quantized_cache.h"

namespace mozgach {

std::string LayerTensorName(int64_t layer, const std::string& rest) {
  return absl::StrCat("model.layers.", layer, ".", rest);
}

absl::StatusOr<at::Tensor> WeightLoader::Floating(const std::string& name,
                                                  const std::vector<int64_t>& shape) const {
  ASSIGN_OR_RETURN(at::Tensor stored, files_.Read(name, shape));
  // 8-bit numbers are meaningless without scales, whose layout is unknown here.
  const at::ScalarType type = stored.scalar_type();
  if (type != at::kFloat && type != at::kBFloat16 && type != at::kHalf && type != at::kDouble) {
    return absl::DataLossError(absl::StrCat(
        files_.PathOf(name).string(), ": tensor '", name, "' holds ", c10::toString(type),
        "; supported are floating-point numbers of 16 bits or more, and bitsandbytes' 4 bits"));
  }
  return stored;
}

absl::Status WeightLoader::CheckFinite(const std::string& name, const at::Tensor& stored) const {
  if (kept_ != nullptr && stored.dim() > 1) return absl::OkStatus();
  if (!finite_.insert(name).second || AllFinite(stored)) return absl::OkStatus();
  finite_.erase(name);
  return absl::DataLossError(absl::StrCat(
      files_.PathOf(name).string(), ": tensor '", name,
      "' holds NaN or infinite numbers: the base is damaged; fetch it again, or use another base"));
}

absl::Status WeightLoader::CopyInto(const std::string& name, at::Tensor& out) const {
  if (IsFourBit(files_, name)) {
    ASSIGN_OR_RETURN(const QuantizedWeight stored, ReadFourBit(files_, name, out.sizes().vec()));
    stored.To(out.device()).DequantizeInto(out);
  } else {
    ASSIGN_OR_RETURN(const at::Tensor stored, Floating(name, out.sizes().vec()));
    RETURN_IF_ERROR(CheckFinite(name, stored));
    out.copy_(stored);
  }
  files_.Release(name);
  return absl::OkStatus();
}

absl::Status WeightLoader::Check(const std::string& name, const std::vector<int64_t>& shape) const {
  return IsFourBit(files_, name) ? ReadFourBit(files_, name, shape).status()
                                 : Floating(name, shape).status();
}

absl::StatusOr<at::Tensor> WeightLoader::Dense(const std::string& name,
                                               const std::vector<int64_t>& shape) const {
  RETURN_IF_ERROR(Check(name, shape));
  const MemoryScope scope(MemoryLine::kDenseWeights);
  at::Tensor dense =
      at::empty(shape, at::TensorOptions().dtype(options_.compute_dtype).device(options_.device));
  RETURN_IF_ERROR(CopyInto(name, dense));
  return dense;
}

absl::StatusOr<at::Tensor> WeightLoader::Norm(const std::string& name, int64_t size) const {
  if (!config_.norms_from_one) return Dense(name, {size});
  const MemoryScope scope(MemoryLine::kDenseWeights);
  ASSIGN_OR_RETURN(const at::Tensor stored, Floating(name, {size}));
  RETURN_IF_ERROR(CheckFinite(name, stored));
  return stored.to(at::kFloat, /*non_blocking=*/false, /*copy=*/true).add_(1.0).to(options_.device);
}

absl::StatusOr<at::Tensor> WeightLoader::Stored(const std::string& name,
                                                const std::vector<int64_t>& shape) const {
  if (IsFourBit(files_, name)) return Dense(name, shape);
  ASSIGN_OR_RETURN(at::Tensor stored, Floating(name, shape));
  RETURN_IF_ERROR(CheckFinite(name, stored));
  files_.Release(name);
  return stored;
}

absl::StatusOr<at::Tensor> WeightLoader::Shared(const std::string& name,
                                                const std::vector<int64_t>& shape) const {
  ASSIGN_OR_RETURN(at::Tensor stored, Stored(name, shape));
  if (stored.scalar_type() == options_.compute_dtype && stored.device() == options_.device) {
    return stored;
  }
  const MemoryScope scope(MemoryLine::kHead);
  at::Tensor copy =
      at::empty(shape, at::TensorOptions().dtype(options_.compute_dtype).device(options_.device));
  RETURN_IF_ERROR(CopyInto(name, copy));
  return copy;
}

absl::StatusOr<QuantizedWeight> WeightLoader::QuantizeNow(const Part& part) const {
  ASSIGN_OR_RETURN(const at::Tensor stored, files_.Read(part.name, {part.rows, part.columns}));
  auto quantized = QuantizeNf4(stored, options_.double_quant);
  if (!quantized.ok()) {
    return Annotate(quantized.status(),
                    absl::StrCat(files_.PathOf(part.name).string(), ": tensor '", part.name, "'"));
  }
  files_.Release(part.name);
  if (draft_ != nullptr) draft_->Add(part.name, *quantized);
  return quantized;
}

absl::StatusOr<QuantizedWeight> WeightLoader::Quantized(const Part& part) const {
  if (stored_in_four_bits_) return ReadFourBit(files_, part.name, {part.rows, part.columns});
  if (kept_ != nullptr) return ReadFourBit(*kept_, part.name, {part.rows, part.columns});
  return QuantizeNow(part);
}

bool WeightLoader::EndsUpDense(const Part& part) const {
  return !options_.quantize || (stored_in_four_bits_ && !IsFourBit(files_, part.name));
}

absl::StatusOr<FrozenWeight> WeightLoader::DenseGroup(const std::vector<Part>& parts) const {
  int64_t rows = 0;
  for (const Part& part : parts) {
    RETURN_IF_ERROR(Check(part.name, {part.rows, part.columns}));
    rows += part.rows;
  }
  const MemoryScope scope(MemoryLine::kDenseWeights);
  at::Tensor weight =
      at::empty({rows, parts.front().columns},
                at::TensorOptions().dtype(options_.compute_dtype).device(options_.device));
  int64_t row = 0;
  for (const Part& part : parts) {
    at::Tensor slice = weight.narrow(0, row, part.rows);
    RETURN_IF_ERROR(CopyInto(part.name, slice));
    NoteWork();
    row += part.rows;
  }
  return FrozenWeight::Dense(weight);
}

absl::StatusOr<FrozenWeight> WeightLoader::Group(const std::vector<Part>& parts) const {
  const auto dense = [this](const Part& part) { return EndsUpDense(part); };
  if (std::all_of(parts.begin(), parts.end(), dense)) return DenseGroup(parts);
  std::vector<FrozenWeight::Part> joined;
  for (const Part& part : parts) {
    NoteWork();
    if (EndsUpDense(part)) {
      ASSIGN_OR_RETURN(at::Tensor weight, Dense(part.name, {part.rows, part.columns}));
      joined.emplace_back(std::move(weight));
    } else {
      ASSIGN_OR_RETURN(const QuantizedWeight weight, Quantized(part));
      joined.emplace_back(weight.To(options_.device));
    }
  }
  return FrozenWeight::Joined(std::move(joined), options_.compute_dtype);
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
  ASSIGN_OR_RETURN(linear.weight, Group(parts));
  if (biased) linear.bias = biases.size() == 1 ? biases[0] : at::cat(biases);
  return linear;
}

}  // namespace mozgach
