// Selects the tensors that the row loops support and calls the loops with the right types. For the
// sources of rms_norm, head_norm, gated_unit and cross_entropy.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/BFloat16.h>

namespace mozgach {

inline bool HasRowKernel(const at::Tensor& x) {
  return x.is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
}

// Calls run(T()) with x's element type T. REQUIRES: HasRowKernel(x).
template <typename Run>
void WithType(const at::Tensor& x, Run run) {
  if (x.scalar_type() == at::kFloat) return run(float());
  run(c10::BFloat16());
}

// Calls run(T(), W()) with the element types of x and of a norm's weight: x's own type, or float32.
template <typename Run>
void WithTypes(const at::Tensor& x, const at::Tensor& weight, Run run) {
  if (x.scalar_type() == at::kFloat) return run(float(), float());
  if (weight.scalar_type() == at::kFloat) return run(c10::BFloat16(), float());
  run(c10::BFloat16(), c10::BFloat16());
}

}  // namespace mozgach
