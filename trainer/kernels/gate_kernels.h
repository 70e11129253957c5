// Gated linear units (Shazeer, 2020) as loops over rows on a CPU, forward and backward,
// in float32 whatever the rows are stored in (float or
// c10::BFloat16).  Rows are contiguous and lie one behind another; the loops are spread over
// at::get_num_threads() threads.
#pragma once

#include <cstdint>

#include "planner/model_config.h"

namespace mozgach {

// y = act(gate) · up with SiLU or the tanh form of GELU.  gate_up [rows, 2 · size], gate first;
// y [rows, size].
template <typename T>
void GatedRows(Activation activation, const T* gate_up, int64_t rows, int64_t size, T* y);

template <typename T>
void GatedGradRows(Activation activation, const T* gate_up, const T* grad_y, int64_t rows,
                   int64_t size, T* grad_gate_up);

}  // namespace mozgach
