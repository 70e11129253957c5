// A LoraAdapter contains the trainable parameters: for each adapted linear layer y = W x, a pair A
// [r, in] and B [out, r] with y += scaling * B(A(dropout(x))), as in PEFT (LoraConfig; Hu et al.,
// 2021).
//
// It is separate from the base, which never changes, and is passed to the model's forward call.
// Destroying it removes all state of the job. A and B are float32 leaves that require gradients.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/domain/domain_spec.h"
#include "common/status.h"
#include "planner/adapter_shape.h"
#include "planner/model_config.h"

namespace mozgach {

// "base_model.model.<layers_path>.<layer>.<path>.<matrix>.weight"; `layers_path` is
// ModelConfig::LayersPath(), `matrix` lora_A or lora_B.
std::string PeftName(const std::string& layers_path, int64_t layer, Projection projection,
                     const char* matrix);

// alpha / r, or alpha / sqrt(r) with use_rslora.
double LoraScaling(double alpha, int64_t rank, bool use_rslora);

struct LoraPair {
  at::Tensor a;  // [r, in]
  at::Tensor b;  // [out, r]
};

class LoraAdapter {
 public:
  // Draws A ~ U(-1/sqrt(in), 1/sqrt(in)) from the seed, layer by layer, and sets B = 0.
  // INVALID_ARGUMENT for target modules or layers that this model does not have; the message lists
  // the existing ones.
  static absl::StatusOr<LoraAdapter> Create(const ModelConfig& config, const LoraSpec& lora,
                                            int64_t seed, const at::Device& device);
  // Reads a PEFT directory. INVALID_ARGUMENT for tensors that do not fit the model and for
  // unsupported features (DoRA, rank patterns, biases, …), which are never ignored; DATA_LOSS for
  // damaged files.
  static absl::StatusOr<LoraAdapter> Load(const std::filesystem::path& peft_dir,
                                          const ModelConfig& config, const at::Device& device);

  // Null if this projection of this layer is not adapted.
  const LoraPair* Find(int64_t layer, Projection projection) const;

  double scaling() const { return scaling_; }  // LoraScaling()
  double dropout() const { return dropout_; }
  int64_t rank() const { return rank_; }
  int64_t TrainableParameters() const;
  // The lowest adapted layer. The layers below it need no gradients.
  int64_t LowestLayer() const;

  // All tensors with their PEFT names
  // ("base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"), in a fixed order (layer,
  // projection, A before B). For the optimizer, checkpoints and the writer.
  std::vector<std::pair<std::string, at::Tensor>> NamedTensors(const ModelConfig& config) const;

 private:
  std::map<std::pair<int64_t, Projection>, LoraPair> pairs_;
  double scaling_ = 1;
  double dropout_ = 0;
  int64_t rank_ = 0;
};

}  // namespace mozgach
