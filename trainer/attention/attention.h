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
  double scale = 1;      // multiplier of the scores
  int64_t window = 0;    // tokens that a token attends to, including itself; 0: all before it
  size_t rope = 0;       // index into Pass::rotary
  HeadNorms norms;       // norms of queries and keys; undefined: no norms
  AdaptedLinear qkv;     // [hidden] → q, k, v
  AdaptedLinear output;  // [heads · head_dim] → [hidden]
};

// Maps qkv [tokens, layout.row()], the result of attention.qkv, to [tokens, hidden]. Pass describes
// the modes.
at::Tensor Attend(const Attention& attention, const at::Tensor& qkv, const Pass& pass);

// The type of q, k and v in attention: the compute type, or float32 on a CPU where only libtorch's
// kernel supports `head_dim`, because that kernel sums gradients in the type of its inputs.
at::ScalarType AttentionType(at::Device device, at::ScalarType compute_dtype, int64_t head_dim);

}  // namespace mozgach
