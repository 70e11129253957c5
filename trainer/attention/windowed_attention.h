// Exact causal attention, whole or through a window, without a dense mask.
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/attention/flash_attention.h"

namespace mozgach {

// q [documents, heads, length, head_dim], k and v [documents, kv_heads, length, head_dim] → the
// same shape as q.  Scores are multiplied with `scale`.  Token i sees tokens j with
// i - window < j <= i; 0: all up to itself.  Memory grows with length, time with
// length · window.  bfloat16 on a CPU: TiledAttention(), whose heads it must serve; else the
// library's kernels where they are exact and linear, else BlockwiseAttention().
// On a CPU a first run puts what the kernel gives into `kept`, and the second takes it from there.
// Differentiable.
at::Tensor CausalAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                           double scale, int64_t window, KeptAttention* kept = nullptr);

}  // namespace mozgach
