// The angles per position of rotary embeddings, as a base and a domain file ask for them.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "planner/rope_config.h"

namespace mozgach {

struct RopeFrequencies {
  at::Tensor inverse;      // [head_dim / 2] float32 on the CPU: radians per position
  double attention = 1.0;  // what cosines and sines are multiplied with (YaRN)
};

// Everything that decides them.
struct RopeSetup {
  RopeConfig base;
  // A domain file's, on top of the base's: frequencies are stretched by one, then by the other.
  std::optional<RopeScaling> extension;
  int64_t head_dim = 0;
  int64_t max_position_embeddings = 0;  // the base's

  // True where they depend on how long the text at hand is.
  bool dynamic() const;
};

// For texts of `positions` tokens, which matters to dynamic scaling only.  The arithmetic is that
// of transformers' modeling_rope_utils, float32 where it is float32 there.
RopeFrequencies FrequenciesFor(const RopeSetup& setup, int64_t positions);

// Tokens of the longest text that base and extension are made for.
int64_t LongestText(const RopeSetup& setup);

}  // namespace mozgach
