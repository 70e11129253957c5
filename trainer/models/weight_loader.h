// A WeightLoader builds the parts of a base's layers from its stored tensors. It handles one tensor
// at a time, so loading needs memory for the finished base and one tensor.
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
  // All three arguments must outlive the loader. One thread at a time.
  WeightLoader(const WeightFiles& files, const ModelConfig& config, const LoadOptions& options)
      : files_(files),
        config_(config),
        options_(options),
        stored_in_four_bits_(HasFourBit(files)) {}

  // Reads weights that were quantised earlier from `kept`, which is borrowed and may be null.
  void ReadQuantizedFrom(const WeightFiles* kept) { kept_ = kept; }
  // Also adds weights that are quantised now to `draft`, which is borrowed and may be null.
  void WriteQuantizedTo(QuantizedDraft* draft) { draft_ = draft; }

  const ModelConfig& config() const { return config_; }

  // A tensor in the compute type on the model's device, whatever its storage format. NOT_FOUND,
  // DATA_LOSS: see WeightFiles::Read() and ReadFourBit(); also DATA_LOSS if it is not finite.
  absl::StatusOr<at::Tensor> Dense(const std::string& name,
                                   const std::vector<int64_t>& shape) const;

  // A tensor as stored, in the file's mapping and on the CPU, to be read row by row. A tensor that
  // is stored in 4 bits is dequantised to the compute type.
  absl::StatusOr<at::Tensor> Stored(const std::string& name,
                                    const std::vector<int64_t>& shape) const;

  // As Dense(), but returns the mapping itself if it already has that type and device.
  absl::StatusOr<at::Tensor> Shared(const std::string& name,
                                    const std::vector<int64_t>& shape) const;

  // A norm's weight [size] as RmsNorm() expects it: in the compute type, or 1 + the stored weight
  // in float32 if ModelConfig::norms_from_one.
  absl::StatusOr<at::Tensor> Norm(const std::string& name, int64_t size) const;

  // "model.layers.<layer>.<module path>.weight" of each projection, in 4 bits if requested, and
  // their biases if `biased`. If the base is stored in 4 bits, its 4-bit weights stay as they are
  // and its dense weights stay dense. If 4 bits are not requested, its weights are dequantised
  // once.
  absl::StatusOr<AdaptedLinear> Linear(int64_t layer, const std::vector<Projection>& projections,
                                       bool biased) const;

 private:
  struct Part {
    std::string name;
    int64_t rows;
    int64_t columns;
  };
  // True if a linear layer's weight is dense in memory.
  bool EndsUpDense(const Part& part) const;
  // The tensor as stored, in the file's mapping.
  absl::StatusOr<at::Tensor> Floating(const std::string& name,
                                      const std::vector<int64_t>& shape) const;
  // DATA_LOSS names the tensor if it contains NaN or infinite numbers. Checks each tensor once; the
  // matrices of a cached base were checked when they were quantised.
  absl::Status CheckFinite(const std::string& name, const at::Tensor& stored) const;
  // Checks that the tensor exists and has the shape of config.json, before memory is allocated for
  // it.
  absl::Status Check(const std::string& name, const std::vector<int64_t>& shape) const;
  // Copies a tensor to `out` with conversion, then returns its pages to the system.
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
  mutable std::set<std::string> finite_;  // tensors known to be finite
};

// "model.layers.<layer>.<rest>"
std::string LayerTensorName(int64_t layer, const std::string& rest);

}  // namespace mozgach
