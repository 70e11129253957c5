// Gated linear units (Shazeer, 2020) as loops over rows on a CPU, forward and backward. Computes in
// float32 for either storage type (float or c10::BFloat16). Rows are contiguous and follow each
// other in memory; at::get_num_threads() threads share the work.
#pragma once

#include <cstdint>

#include "planner/model_config.h"

namespace mozgach {

// y = act(gate) · up, where act is SiLU or the tanh form of GELU. gate_up [rows, 2 · size], gate
// first; y [rows, size].
template <typename T>
void GatedRows(Activation activation, const T* gate_up, int64_t rows, int64_t size, T* y);

// Gradient of GatedRows() with respect to gate_up. grad_y [rows, size]; grad_gate_up as gate_up.
template <typename T>
void GatedGradRows(Activation activation, const T* gate_up, const T* grad_y, int64_t rows,
                   int64_t size, T* grad_gate_up);

}  // namespace mozgach
