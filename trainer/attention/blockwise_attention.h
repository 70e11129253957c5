// Exact causal attention made of plain tensor operations, tile by tile (Dao, "FlashAttention-2",
// 2023): linear in memory on every device, and the way for devices whose own kernels keep all
// scores (Metal, where gradients are wanted).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace mozgach {

struct AttentionTiles {
  int64_t queries = 512;
  int64_t keys = 1024;
};

// q [documents, heads, length, head_dim], k and v [documents, kv_heads, keys, head_dim] with
// length <= keys: the queries are those of the last `length` places.  → the shape and type of q.
// Query i, at place p = keys - length + i, sees the places j with p - window < j <= p; window 0:
// all up to p.  Scores, sums and gradients are added up in float32 (float64 where q is).  Keeps q,
// k, v, the result and one number per query.  Differentiable.
at::Tensor BlockwiseAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                              double scale, int64_t window, const AttentionTiles& tiles = {});

}  // namespace mozgach
