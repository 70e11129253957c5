// Finds NaN and infinite numbers in stored weights.
#pragma once

#include <ATen/core/Tensor.h>

namespace mozgach {

// True if no element is NaN or infinite. `tensor` is on the CPU, contiguous, and of a floating type
// of 16, 32 or 64 bits. Reads it once at about the speed of memory, on the configured number of
// threads.
bool AllFinite(const at::Tensor& tensor);

}  // namespace mozgach
