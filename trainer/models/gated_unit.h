// SwiGLU and its kin (Shazeer, 2020) as one autograd function that keeps its input and nothing
// else.
#pragma once

#include <ATen/core/Tensor.h>

#include "planner/model_config.h"

namespace mozgach {

// gate_up [tokens, 2 · size], gate first → act(gate) · up, [tokens, size].
at::Tensor GatedUnit(Activation activation, const at::Tensor& gate_up);

// The gradient with respect to gate_up.
at::Tensor GatedUnitGradient(Activation activation, const at::Tensor& gate_up,
                             const at::Tensor& grad_y);

}  // namespace mozgach
