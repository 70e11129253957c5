// Exact causal attention with plain tensor operations, tile by tile (Dao, "FlashAttention-2",
// 2023). Needs linear memory on every device. Used on devices whose own kernels save all scores
// (Metal, if gradients are needed).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace mozgach {

struct AttentionTiles {
  int64_t queries = 512;
  int64_t keys = 1024;
};

// q is [documents, heads, length, head_dim], k and v are [documents, kv_heads, keys, head_dim] with
// length <= keys: the queries are those of the last `length` positions. Returns the shape and type
// of q. Query i, at position p = keys - length + i, attends to positions j with p - window < j <=
// p; window 0: all up to p. Scores, sums and gradients are summed in float32 (float64 if q is
// float64). Saves q, k, v, the result and one number per query. Differentiable.
at::Tensor BlockwiseAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                              double scale, int64_t window, const AttentionTiles& tiles = {});

}  // namespace mozgach
