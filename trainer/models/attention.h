// Grouped-query self-attention of one layer with rotary embeddings, causal, within documents.
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/lora/adapted_linear.h"
#include "trainer/models/pass.h"
#include "trainer/models/row_kernels.h"

namespace mozgach {

struct Attention {
  int64_t layer = 0;
  HeadLayout layout;
  AdaptedLinear qkv;     // [hidden] → q, k, v
  AdaptedLinear output;  // [heads · head_dim] → [hidden]
};

// x [tokens, hidden], normalised → [tokens, hidden].  See Pass for the ways it runs.
at::Tensor Attend(const Attention& attention, const at::Tensor& x, const Pass& pass);

// What scores are made in: float32 on a CPU, whose kernel adds up gradients in the type of its
// inputs; elsewhere the compute type.
at::ScalarType AttentionType(at::Device device, at::ScalarType compute_dtype);

}  // namespace mozgach
