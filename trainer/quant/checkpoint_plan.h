// A CheckpointPlan assigns the tensors of a base to the files of its 4-bit checkpoint.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/status.h"
#include "trainer/checkpoint/weight_files.h"

namespace mozgach {

struct PlannedTensor {
  std::string name;
  bool quantize = false;
  int64_t bytes = 0;         // approximate, in the new file
  int64_t element_size = 1;  // bytes, in the stored type
};

struct CheckpointPlan {
  // In write order: quantised tensors first, then by decreasing element size, so that every tensor
  // is aligned.
  using Shard = std::vector<PlannedTensor>;
  std::vector<Shard> shards;

  // Modules whose weight matrix is not quantised, except embedding and lm_head, with the names that
  // transformers matches ("vision_tower", "model.vision_tower"). May be empty.
  std::vector<std::string> kept_modules;

  // Plans files of about `shard_bytes`, with tensors in storage order. INVALID_ARGUMENT if the base
  // contains nothing to quantise.
  static absl::StatusOr<CheckpointPlan> Make(const WeightFiles& files, bool double_quant,
                                             int64_t shard_bytes);
};

// True if `name` is the weight of a linear layer of the decoder, such as
// "model.layers.0.mlp.up_proj.weight". Also accepts the names of multimodal bases, with
// "language_model." before or after "model.".
bool IsDecoderLinear(const std::string& name);

}  // namespace mozgach
