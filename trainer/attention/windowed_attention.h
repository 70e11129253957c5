// Exact causal attention, complete or windowed, without a dense mask.
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/attention/flash_attention.h"

namespace mozgach {

// q is [documents, heads, length, head_dim], k and v are [documents, kv_heads, length, head_dim];
// returns the shape of q. Scores are multiplied by `scale`. Token i attends to tokens j with i -
// window < j <= i; window 0: all up to itself. Memory grows with length, time with length · window.
// bfloat16 on a CPU uses TiledAttention(), which must support the heads. Everything else uses
// libtorch's kernels where they are exact and linear, else BlockwiseAttention(). On a CPU a first
// run stores the kernel's results in `kept`, and the second run uses them. Differentiable.
at::Tensor CausalAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                           double scale, int64_t window, KeptAttention* kept = nullptr);

}  // namespace mozgach
