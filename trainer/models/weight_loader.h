// A WeightLoader turns a base's stored tensors into what its layers are made of: one tensor at a
// time, so that loading holds the finished base and one tensor.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "common/status.h"
#include "trainer/checkpoint/model_config.h"
#include "trainer/checkpoint/weight_files.h"
#include "trainer/lora/adapted_linear.h"
#include "trainer/models/causal_lm.h"

namespace mozgach {

class WeightLoader {
 public:
  // All three outlive the loader.
  WeightLoader(const WeightFiles& files, const ModelConfig& config, const LoadOptions& options)
      : files_(files), config_(config), options_(options) {}

  const ModelConfig& config() const { return config_; }

  // A tensor in the compute type on the model's device.  NOT_FOUND, DATA_LOSS: see
  // WeightFiles::Read().
  absl::StatusOr<at::Tensor> Dense(const std::string& name,
                                   const std::vector<int64_t>& shape) const;

  // A norm's weight [size] as RmsNorm() takes it: in the compute type, or 1 + what is stored in
  // float32 where ModelConfig::norms_from_one.
  absl::StatusOr<at::Tensor> Norm(const std::string& name, int64_t size) const;

  // "model.layers.<layer>.<module path>.weight" of each projection, in 4 bits where asked for, and
  // their biases where `biased`.
  absl::StatusOr<AdaptedLinear> Linear(int64_t layer, const std::vector<Projection>& projections,
                                       bool biased) const;

 private:
  struct Part {
    std::string name;
    int64_t rows;
    int64_t columns;
  };
  // As stored, in the file's mapping.
  absl::StatusOr<at::Tensor> Floating(const std::string& name,
                                      const std::vector<int64_t>& shape) const;
  absl::StatusOr<QuantizedWeight> Quantized(const std::string& name,
                                            const std::vector<int64_t>& shape) const;
  absl::StatusOr<FrozenWeight> QuantizedGroup(const std::vector<Part>& parts) const;
  absl::StatusOr<FrozenWeight> DenseGroup(const std::vector<Part>& parts) const;

  const WeightFiles& files_;
  const ModelConfig& config_;
  const LoadOptions& options_;
};

// "model.layers.<layer>.<rest>"
std::string LayerTensorName(int64_t layer, const std::string& rest);

}  // namespace mozgach
