// Grouped-query self-attention of one layer with rotary embeddings, causal, within documents.
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/attention/head_norm.h"
#include "trainer/attention/pass.h"
#include "trainer/kernels/head_layout.h"
#include "trainer/lora/adapted_linear.h"

namespace mozgach {

struct Attention {
  int64_t layer = 0;
  HeadLayout layout;
  double scale = 1;      // of scores
  int64_t window = 0;    // tokens a token sees, itself counted; 0: all before it
  size_t rope = 0;       // which of Pass::rotary
  HeadNorms norms;       // of queries and keys; undefined: none
  AdaptedLinear qkv;     // [hidden] → q, k, v
  AdaptedLinear output;  // [heads · head_dim] → [hidden]
};

// qkv [tokens, layout.row()], what attention.qkv gave → [tokens, hidden].  See Pass for the ways it
// runs.
at::Tensor Attend(const Attention& attention, const at::Tensor& qkv, const Pass& pass);

// What q, k and v are given to attention in: the compute type; float32 where a CPU has but the
// library's kernel, which adds up gradients in the type of its inputs.
at::ScalarType AttentionType(at::Device device, at::ScalarType compute_dtype, int64_t head_dim);

}  // namespace mozgach
