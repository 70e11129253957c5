// The norms that Qwen3 and Gemma 3 apply to each query and key head before rotation, as one
// autograd function that saves its input and one number per head.
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/kernels/head_layout.h"

namespace mozgach {

struct HeadNorms {
  at::Tensor q;  // [head_dim], in the types of RmsNorm()'s weight; undefined: no norms
  at::Tensor k;
  double eps = 1e-6;

  bool defined() const { return q.defined(); }
};

// Maps qkv [tokens, layout.row()] to the same shape with each q and k head normalised and v
// unchanged. Differentiable with respect to qkv.
at::Tensor NormalizeQueriesAndKeys(const at::Tensor& qkv, const HeadLayout& layout,
                                   const HeadNorms& norms);

}  // namespace mozgach
