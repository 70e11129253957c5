// A WeightLoader turns a base's stored tensors into what its layers are made of: one tensor at a
// time, so that loading holds the finished base and one tensor.
#pragma once

#include <ATen/core/Tensor.h>

#include <set>
#include <string>
#include <vector>

#include "common/status.h"
#include "planner/model_config.h"
#include "trainer/checkpoint/weight_files.h"
#include "trainer/lora/adapted_linear.h"
#include "trainer/models/causal_lm.h"
#include "trainer/quant/four_bit_checkpoint.h"

namespace mozgach {

class QuantizedDraft;

class WeightLoader {
 public:
  // All three outlive the loader.  One thread at a time.
  WeightLoader(const WeightFiles& files, const ModelConfig& config, const LoadOptions& options)
      : files_(files),
        config_(config),
        options_(options),
        stored_in_four_bits_(HasFourBit(files)) {}

  // Weights that were quantised before are read from `kept`; both borrowed, either may be null.
  void ReadQuantizedFrom(const WeightFiles* kept) { kept_ = kept; }
  // Weights that are quantised now are added to `draft` as well.
  void WriteQuantizedTo(QuantizedDraft* draft) { draft_ = draft; }

  const ModelConfig& config() const { return config_; }

  // A tensor in the compute type on the model's device, whichever way it is stored.  NOT_FOUND,
  // DATA_LOSS: see WeightFiles::Read() and ReadFourBit(); DATA_LOSS too where it is not finite.
  absl::StatusOr<at::Tensor> Dense(const std::string& name,
                                   const std::vector<int64_t>& shape) const;

  // A tensor as it is stored, in the file's mapping and on the CPU, to be read row by row; made
  // dense in the compute type where it is stored in 4 bits.
  absl::StatusOr<at::Tensor> Stored(const std::string& name,
                                    const std::vector<int64_t>& shape) const;

  // As Dense(), but the mapping itself where it already has that type and device.
  absl::StatusOr<at::Tensor> Shared(const std::string& name,
                                    const std::vector<int64_t>& shape) const;

  // A norm's weight [size] as RmsNorm() takes it: in the compute type, or 1 + what is stored in
  // float32 where ModelConfig::norms_from_one.
  absl::StatusOr<at::Tensor> Norm(const std::string& name, int64_t size) const;

  // "model.layers.<layer>.<module path>.weight" of each projection, in 4 bits where asked for, and
  // their biases where `biased`.  A base that is stored in 4 bits keeps them as they are, and what
  // it holds dense stays dense; where 4 bits are not asked for its weights are made dense, once.
  absl::StatusOr<AdaptedLinear> Linear(int64_t layer, const std::vector<Projection>& projections,
                                       bool biased) const;

 private:
  struct Part {
    std::string name;
    int64_t rows;
    int64_t columns;
  };
  // How a linear layer's weight ends up in memory.
  bool EndsUpDense(const Part& part) const;
  // As stored, in the file's mapping.
  absl::StatusOr<at::Tensor> Floating(const std::string& name,
                                      const std::vector<int64_t>& shape) const;
  // DATA_LOSS, naming the tensor, when it holds NaN or infinite numbers.  Each tensor is looked at
  // once; the matrices of a base in the cache were looked at when it was quantised.
  absl::Status CheckFinite(const std::string& name, const at::Tensor& stored) const;
  // That it is there, in the shape that config.json asks for: before any memory is taken for it.
  absl::Status Check(const std::string& name, const std::vector<int64_t>& shape) const;
  // Copies a tensor, converted, to where it is wanted; its pages go back to the system.
  absl::Status CopyInto(const std::string& name, at::Tensor& out) const;
  absl::StatusOr<QuantizedWeight> Quantized(const Part& part) const;
  absl::StatusOr<QuantizedWeight> QuantizeNow(const Part& part) const;
  absl::StatusOr<FrozenWeight> DenseGroup(const std::vector<Part>& parts) const;
  absl::StatusOr<FrozenWeight> Group(const std::vector<Part>& parts) const;

  const WeightFiles& files_;
  const ModelConfig& config_;
  const LoadOptions& options_;
  const bool stored_in_four_bits_;
  const WeightFiles* kept_ = nullptr;
  QuantizedDraft* draft_ = nullptr;
  mutable std::set<std::string> finite_;  // found so
};

// "model.layers.<layer>.<rest>"
std::string LayerTensorName(int64_t layer, const std::string& rest);

}  // namespace mozgach
