// A CheckpointPlan says what of a base goes into which file of its 4-bit checkpoint.
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
  int64_t bytes = 0;         // about, in the new file
  int64_t element_size = 1;  // as it is stored
};

struct CheckpointPlan {
  // In the order of writing: quantised ones first, then by falling size of elements, so that every
  // tensor is aligned.
  using Shard = std::vector<PlannedTensor>;
  std::vector<Shard> shards;

  // Modules with a weight matrix that stays as it is and is neither embedding nor lm_head, named as
  // transformers matches them ("vision_tower", "model.vision_tower"); empty: none.
  std::vector<std::string> kept_modules;

  // Files of about `shard_bytes`, tensors in the order in which they are stored.  INVALID_ARGUMENT
  // where there is nothing to quantise.
  static absl::StatusOr<CheckpointPlan> Make(const WeightFiles& files, bool double_quant,
                                             int64_t shard_bytes);
};

// Whether `name` is the weight of a linear layer of the decoder:
// "model.layers.0.mlp.up_proj.weight", in bases for text, and for images too ("language_model."
// before or behind "model.").
bool IsDecoderLinear(const std::string& name);

}  // namespace mozgach
