// The loops of NF4 on a CPU, for the fastest instructions this processor has.  All of them give
// the same bits.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace mozgach {

// Finds the scales and indices of `count` elements that are blocks of 64, all full but perhaps the
// last.  Writes one byte per two elements and one scale per block; false where an element is not
// finite.
template <typename T>
bool QuantizeBlocks(const T* elements, int64_t count, float* scales, uint8_t* codes);

// The inverse, rounded once to T.
template <typename T>
void DequantizeBlocks(const uint8_t* codes, const float* scales, int64_t count, T* elements);

}  // namespace mozgach
