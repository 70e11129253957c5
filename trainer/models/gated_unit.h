// SwiGLU and related gated units (Shazeer, 2020) as one autograd function that saves only its
// input.
#pragma once

#include <ATen/core/Tensor.h>

#include "planner/model_config.h"

namespace mozgach {

// Maps gate_up [tokens, 2 · size], gate first, to act(gate) · up, [tokens, size].
at::Tensor GatedUnit(Activation activation, const at::Tensor& gate_up);

// The gradient with respect to gate_up.
at::Tensor GatedUnitGradient(Activation activation, const at::Tensor& gate_up,
                             const at::Tensor& grad_y);

}  // namespace mozgach
