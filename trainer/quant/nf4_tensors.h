// NF4 with tensor operations, for devices whose memory the loops of nf4_kernels.h cannot access.
// Gives the same bits.
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/quant/nf4.h"

namespace mozgach {

// QuantizedWeight::Scales() of a weight with double quantisation.
at::Tensor ScalesByTensors(const QuantizedWeight& weight);

// QuantizedWeight::DequantizeInto() with the given scales.
void DequantizeByTensors(const QuantizedWeight& weight, const at::Tensor& scales, at::Tensor& out);

}  // namespace mozgach
