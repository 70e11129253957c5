// An AdaptedLinear is one linear layer of the base, or several that read the same input (q, k, v;
// gate, up), with the adapter's low-rank part beside it:
//
//   y = x Wᵀ + bias + scaling · dropout(x) Aᵀ Bᵀ
//
// One autograd function does it all.  It keeps x and nothing else: the frozen product needs
// nothing, weights in 4 bits are made dense again in backward, dropout masks are drawn again.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "trainer/lora/lora_adapter.h"
#include "trainer/quant/frozen_weight.h"

namespace mozgach {

struct AdaptedLinear {
  int64_t layer = 0;
  std::vector<Projection> projections;  // in the order of the weight's rows
  std::vector<int64_t> rows;            // of each
  FrozenWeight weight;                  // [sum of rows, in]
  at::Tensor bias;                      // [sum of rows] in the compute type; undefined: none
};

// What a call has besides the layer itself.
struct LoraContext {
  const LoraAdapter* adapter = nullptr;  // null: the bare base
  bool training = false;                 // dropout is on
  uint64_t seed = 0;
  uint32_t step = 0;
  uint32_t micro_batch = 0;
  DequantBuffer* buffer = nullptr;
};

// [tokens, in] → [tokens, sum of rows], in the compute type.  Differentiable with respect to x, A
// and B where gradients are on.  `linear` and the buffer outlive the backward pass.
at::Tensor Apply(const AdaptedLinear& linear, const at::Tensor& x, const LoraContext& context);

}  // namespace mozgach
