// SwiGLU as one autograd function that keeps its input and nothing else.
#pragma once

#include <ATen/core/Tensor.h>

namespace mozgach {

// gate_up [tokens, 2 · size], gate first → silu(gate) · up, [tokens, size].
at::Tensor SwiGlu(const at::Tensor& gate_up);

}  // namespace mozgach
