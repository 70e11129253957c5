// RMSNorm with a frozen weight, as one autograd function. It saves x (which the residual stream
// saves anyway) and one number per row.
#pragma once

#include <ATen/core/Tensor.h>

namespace mozgach {

// Maps [tokens, hidden] to the same shape and type: round(x · rstd) · weight, where round is to the
// weight's type. A weight in x's type gives Llama's norm; a float32 weight of 1 + the stored weight
// gives Gemma's. Differentiable with respect to x.
at::Tensor RmsNorm(const at::Tensor& x, const at::Tensor& weight, double eps);

// The gradient with respect to x, computed from x, the weight and grad_y alone.
at::Tensor RmsNormGradient(const at::Tensor& x, const at::Tensor& weight, double eps,
                           const at::Tensor& grad_y);

}  // namespace mozgach
