#include "trainer/quant/four_bit_checkpoint.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/tensor.h>

#include <cstring>
#include <optional>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "planner/ceil_divide.h"
#include "trainer/quant/four_bit_state.h"

namespace mozgach {
namespace {

constexpr const char* kStates[] = {".quant_state.bitsandbytes__nf4",
                                   ".quant_state.bitsandbytes__fp4"};

std::string ShapeText(const std::vector<int64_t>& shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

// Reads the tensors that belong to one weight.
class Parts {
 public:
  Parts(const WeightFiles& files, const std::string& name) : files_(files), name_(name) {}

  bool Has(const char* part) const { return files_.Contains(name_ + part); }

  absl::StatusOr<FourBitState> State() const {
    std::optional<FourBitState> state;
    for (const char* suffix : kStates) {
      if (!Has(suffix)) continue;
      if (state) return absl::DataLossError("it has two quant_states");
      ASSIGN_OR_RETURN(const at::Tensor bytes, Bytes(suffix));
      const auto* text = static_cast<const char*>(bytes.const_data_ptr());
      ASSIGN_OR_RETURN(state, ParseFourBitState({text, static_cast<size_t>(bytes.numel())}));
    }
    if (!state) return absl::DataLossError("it has no quant_state");
    return *std::move(state);
  }

  // uint8 [bytes]: the tensor's bytes, for any type.
  absl::StatusOr<at::Tensor> Bytes(const char* part) const {
    ASSIGN_OR_RETURN(const at::Tensor stored, files_.Read(name_ + part));
    return stored.reshape({-1}).view(at::kByte);
  }

  absl::StatusOr<at::Tensor> Indices(const char* part, int64_t count) const {
    ASSIGN_OR_RETURN(at::Tensor stored, Counted(part, count));
    if (stored.scalar_type() != at::kByte) {
      return absl::DataLossError(absl::StrCat("its ", part + 1, " holds ",
                                              c10::toString(stored.scalar_type()), ", not uint8"));
    }
    return stored;
  }

  // float32 [count], a copy.
  absl::StatusOr<at::Tensor> Floats(const char* part, int64_t count) const {
    ASSIGN_OR_RETURN(const at::Tensor stored, Counted(part, count));
    if (!at::isFloatingType(stored.scalar_type())) {
      return absl::DataLossError(absl::StrCat("its ", part + 1, " holds ",
                                              c10::toString(stored.scalar_type()),
                                              ", not floating-point numbers"));
    }
    at::Tensor floats = stored.to(at::kFloat, /*non_blocking=*/false, /*copy=*/true);
    if (!at::isfinite(floats).all().item<bool>()) {
      return absl::DataLossError(
          absl::StrCat("its ", part + 1, " holds values that are not finite"));
    }
    return floats;
  }

 private:
  absl::StatusOr<at::Tensor> Counted(const char* part, int64_t count) const {
    ASSIGN_OR_RETURN(const at::Tensor stored, files_.Read(name_ + part));
    if (stored.numel() != count) {
      return absl::DataLossError(
          absl::StrCat("its ", part + 1, " has ", stored.numel(), " elements instead of ", count));
    }
    return stored.reshape({-1});
  }

  const WeightFiles& files_;
  const std::string& name_;
};

absl::Status ReadScales(const Parts& parts, const FourBitState& state, QuantizedWeight* weight) {
  const int64_t blocks = CeilDivide(weight->elements(), state.block);
  if (!state.nested) {
    ASSIGN_OR_RETURN(weight->absmax, parts.Floats(".absmax", blocks));
    return absl::OkStatus();
  }
  weight->nested_block = state.nested->block;
  weight->offset = state.nested->offset;
  ASSIGN_OR_RETURN(weight->absmax, parts.Indices(".absmax", blocks));
  ASSIGN_OR_RETURN(weight->nested_absmax,
                   parts.Floats(".nested_absmax", CeilDivide(blocks, weight->nested_block)));
  ASSIGN_OR_RETURN(weight->nested_levels, parts.Floats(".nested_quant_map", 256));
  return absl::OkStatus();
}

absl::StatusOr<QuantizedWeight> Read(const Parts& parts, const std::vector<int64_t>& shape) {
  ASSIGN_OR_RETURN(const FourBitState state, parts.State());
  if (state.shape != shape) {
    return absl::DataLossError(absl::StrCat("its quant_state gives shape ", ShapeText(state.shape),
                                            ", config.json asks for ", ShapeText(shape)));
  }
  if (state.nested.has_value() != parts.Has(".nested_absmax")) {
    return absl::DataLossError("its quant_state and its nested_absmax contradict each other");
  }
  QuantizedWeight weight;
  weight.shape = shape;
  weight.dtype = state.dtype;
  weight.block = state.block;
  ASSIGN_OR_RETURN(weight.codes, parts.Bytes(""));
  const int64_t bytes = (weight.elements() + 1) / 2;
  // A type of several bytes may pad its last element.
  if (weight.codes.numel() < bytes || weight.codes.numel() >= bytes + 8) {
    return absl::DataLossError(absl::StrCat("takes ", weight.codes.numel(), " bytes, ",
                                            ShapeText(shape), " in 4 bits takes ", bytes));
  }
  weight.codes = weight.codes.narrow(0, 0, bytes);
  ASSIGN_OR_RETURN(const at::Tensor levels, parts.Floats(".quant_map", 16));
  std::memcpy(weight.levels.data(), levels.const_data_ptr(), sizeof(weight.levels));
  RETURN_IF_ERROR(ReadScales(parts, state, &weight));
  return weight;
}

}  // namespace

bool IsFourBit(const WeightFiles& files, const std::string& name) {
  return files.Contains(name + kStates[0]) || files.Contains(name + kStates[1]);
}

bool HasFourBit(const WeightFiles& files) {
  for (const std::string& name : files.Names()) {
    for (const std::string_view suffix : kStates) {
      if (name.ends_with(suffix)) return true;
    }
  }
  return false;
}

absl::StatusOr<QuantizedWeight> ReadFourBit(const WeightFiles& files, const std::string& name,
                                            const std::vector<int64_t>& shape) {
  if (!files.Contains(name)) return files.Read(name).status();
  auto weight = Read(Parts(files, name), shape);
  if (weight.ok()) return weight;
  return absl::DataLossError(absl::StrCat(files.PathOf(name).string(), ": tensor '", name,
                                          "': ", weight.status().message()));
}

std::vector<std::pair<std::string, at::Tensor>> FourBitTensors(const std::string& name,
                                                               const QuantizedWeight& weight) {
  FourBitState state;
  state.quant_type = "nf4";
  state.block = weight.block;
  state.dtype = weight.dtype;
  state.shape = weight.shape;
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  tensors.emplace_back(name + ".quant_map", at::tensor(at::ArrayRef<float>(weight.levels)));
  if (weight.double_quantized()) {
    state.nested = {weight.nested_block, weight.offset};
    tensors.emplace_back(name + ".nested_quant_map", weight.nested_levels);
    tensors.emplace_back(name + ".nested_absmax", weight.nested_absmax);
  }
  tensors.emplace_back(name + ".absmax", weight.absmax);
  tensors.emplace_back(name, weight.codes.unsqueeze(1));
  size_t bytes = 0;
  for (const auto& [part, tensor] : tensors) bytes += tensor.nbytes();
  std::string json = FourBitStateJson(state);
  json.append((8 - (bytes + json.size()) % 8) % 8, ' ');
  at::Tensor text = at::empty({static_cast<int64_t>(json.size())}, at::kByte);
  std::memcpy(text.mutable_data_ptr(), json.data(), json.size());
  tensors.emplace_back(name + kStates[0], text);
  return tensors;
}

}  // namespace mozgach
