// The norms that Qwen3 and Gemma 3 put on each query and key head before rotation, as one autograd
// function that keeps its input and one number per head.
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

// qkv [tokens, layout.row()] → the same with each q and k head normalised, v as it is.
// Differentiable with respect to qkv.
at::Tensor NormalizeQueriesAndKeys(const at::Tensor& qkv, const HeadLayout& layout,
                                   const HeadNorms& norms);

}  // namespace mozgach
