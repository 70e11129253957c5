// Dequantises NF4 with a kernel of our own on a CUDA device (nf4_dequantize.cu). Gives the same
// bits as nf4_kernels.h.
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/quant/nf4.h"

namespace mozgach {

// The kernel's source.
const char* Nf4DequantizeSource();

// QuantizedWeight::DequantizeInto() on the device's current stream. Returns false and does nothing
// if the kernel does not support this device (ROCm; NVRTC is missing, which is logged once) or this
// weight (its block size or an address).
bool DequantizeByKernel(const QuantizedWeight& weight, at::Tensor& out);

}  // namespace mozgach
