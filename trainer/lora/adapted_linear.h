// An AdaptedLinear is one linear layer of the base, or several that read the same input (q, k, v;
// gate, up), together with the adapter's low-rank part:
//
//   y = x Wᵀ + bias + scaling · dropout(x) Aᵀ Bᵀ
//
// It is one autograd function that saves only x. Backward needs nothing else for the frozen
// product, dequantises 4-bit weights again, and draws the same dropout masks again.
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
  std::vector<int64_t> rows;            // rows of each projection
  FrozenWeight weight;                  // [sum of rows, in]
  at::Tensor bias;                      // [sum of rows] in the compute type; undefined: no bias
};

// The arguments of a call in addition to layer and input.
struct LoraContext {
  const LoraAdapter* adapter = nullptr;  // null: the bare base
  bool training = false;                 // dropout is on
  uint64_t seed = 0;
  uint32_t step = 0;
  uint32_t micro_batch = 0;
  DequantBuffer* buffer = nullptr;
};

// Maps [tokens, in] to [tokens, sum of rows] in the compute type. Differentiable with respect to x,
// A and B if gradients are enabled. `linear` and the buffer must outlive the backward pass.
at::Tensor Apply(const AdaptedLinear& linear, const at::Tensor& x, const LoraContext& context);

}  // namespace mozgach
