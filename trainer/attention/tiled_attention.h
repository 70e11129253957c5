// Exact causal attention in bfloat16 on a CPU, whole or through a window, tile by tile (Dao,
// "FlashAttention-2", 2023), by our own kernels: products of bfloat16 added up in float32,
// gradients rounded once.
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/attention/flash_attention.h"

namespace mozgach {

// Whether it serves heads of this size.
inline bool HasTiledAttention(int64_t head_dim) { return head_dim % 16 == 0; }

// q [documents, heads, length, head_dim], k and v [documents, kv_heads, length, head_dim], bfloat16
// on the CPU → the shape of q.  Scores are multiplied with `scale`.  Token i sees tokens j with
// i - window < j <= i; window 0: all up to itself.  Beside its arguments and results it works in a
// transposed copy of k or v and, per thread, some tiles and in backward float32 gradients of one
// head's k and v.  The same bits each time with the same number of threads.  With `kept` a first
// run keeps what it gives, and the second run takes it from there.  Differentiable.
at::Tensor TiledAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                          double scale, int64_t window, KeptAttention* kept);

}  // namespace mozgach
