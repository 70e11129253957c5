// Exact causal attention, whole or through a window, without a dense mask.
#pragma once

#include <ATen/core/Tensor.h>

namespace mozgach {

// q [documents, heads, length, head_dim], k and v [documents, kv_heads, length, head_dim] → the
// same shape as q.  Scores are multiplied with `scale`.  Token i sees tokens j with
// i - window < j <= i; 0: all up to itself.  Memory and time grow with length · window.
// Differentiable.
at::Tensor CausalAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                           double scale, int64_t window);

}  // namespace mozgach
