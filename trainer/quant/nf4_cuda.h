// NF4 made dense by a kernel of our own on a CUDA device (nf4_dequantize.cu).  The same bits as
// nf4_kernels.h.
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/quant/nf4.h"

namespace mozgach {

// The kernel's source.
const char* Nf4DequantizeSource();

// QuantizedWeight::DequantizeInto() on the device's current stream.  False, and nothing done, where
// there is no such kernel for this device (no NVRTC: said once in the log; ROCm) or for this weight
// (a block or an address that the kernel does not take).
bool DequantizeByKernel(const QuantizedWeight& weight, at::Tensor& out);

}  // namespace mozgach
