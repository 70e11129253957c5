// The loops of 4-bit weights on a CPU, for the fastest instructions this processor has.  All of
// them give the same bits.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>

namespace mozgach {

// Finds the scales and indices of `count` elements that are blocks of 64, all full but perhaps the
// last.  Writes one byte per two elements and one scale per block; false where an element is not
// finite.
template <typename T>
bool QuantizeBlocks(const T* elements, int64_t count, float* scales, uint8_t* codes);

// The inverse for any 16 levels and any even size of blocks (multiples of 32 are fast): level ×
// scale, rounded once to T.
template <typename T>
void DequantizeBlocks(const uint8_t* codes, const float* scales,
                      const std::array<float, 16>& levels, int64_t block, int64_t count,
                      T* elements);

}  // namespace mozgach
