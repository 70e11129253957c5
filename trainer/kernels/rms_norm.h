// RMSNorm with a frozen weight, as one autograd function that keeps x (which the residual stream
// keeps anyway) and one number per row.
#pragma once

#include <ATen/core/Tensor.h>

namespace mozgach {

// [tokens, hidden] → the same, in x's type: round(x · rstd) · weight, where round is to the
// weight's type.  In x's type that is Llama's norm; float32 weights (1 + what is stored) are
// Gemma's. Differentiable with respect to x.
at::Tensor RmsNorm(const at::Tensor& x, const at::Tensor& weight, double eps);

// The gradient with respect to x, from x alone.
at::Tensor RmsNormGradient(const at::Tensor& x, const at::Tensor& weight, double eps,
                           const at::Tensor& grad_y);

}  // namespace mozgach
