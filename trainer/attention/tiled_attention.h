// Exact causal attention in bfloat16 on a CPU, complete or windowed, tile by tile (Dao,
// "FlashAttention-2", 2023), with our own kernels: bfloat16 products with float32 sums, gradients
// rounded once.
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/attention/flash_attention.h"

namespace mozgach {

// True if TiledAttention() supports heads of this size.
inline bool HasTiledAttention(int64_t head_dim) { return head_dim % 16 == 0; }

// q is [documents, heads, length, head_dim], k and v are [documents, kv_heads, length, head_dim],
// in bfloat16 on the CPU; returns the shape of q. Scores are multiplied by `scale`. Token i attends
// to tokens j with i - window < j <= i; window 0: all up to itself. In addition to arguments and
// results it needs a transposed copy of k or v, some tiles per thread, and in backward per thread
// float32 gradients of one head's k and v. Gives the same bits each time with the same number of
// threads. If `kept` is not null, a first run stores its results there and the second run uses
// them. Differentiable.
at::Tensor TiledAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                          double scale, int64_t window, KeptAttention* kept);

}  // namespace mozgach
