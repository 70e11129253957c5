// Angles per position of rotary embeddings, as configured by a base and a domain file.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "planner/rope_config.h"

namespace mozgach {

struct RopeFrequencies {
  at::Tensor inverse;      // [head_dim / 2] float32 on the CPU: radians per position
  double attention = 1.0;  // factor for cosines and sines (YaRN)
};

// Everything that determines the frequencies.
struct RopeSetup {
  RopeConfig base;
  // The domain file's scaling. The base's scaling is applied first, then this one.
  std::optional<RopeScaling> extension;
  int64_t head_dim = 0;
  int64_t max_position_embeddings = 0;  // the base's value

  // True if the frequencies depend on the length of the current text.
  bool dynamic() const;
};

// Frequencies for texts of `positions` tokens; only dynamic scaling depends on `positions`. The
// arithmetic is that of transformers' modeling_rope_utils, in float32 wherever transformers uses
// float32.
RopeFrequencies FrequenciesFor(const RopeSetup& setup, int64_t positions);

// Number of tokens of the longest text that base and extension support.
int64_t LongestText(const RopeSetup& setup);

}  // namespace mozgach
