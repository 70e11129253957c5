// Loops over 4-bit weights on a CPU, compiled for the fastest instructions of this processor. All
// versions give the same bits.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>

namespace mozgach {

// Computes the scales and indices of `count` elements in blocks of 64; only the last block may be
// shorter. Writes one byte per two elements and one scale per block. Returns false if an element is
// not finite.
template <typename T>
bool QuantizeBlocks(const T* elements, int64_t count, float* scales, uint8_t* codes);

// The inverse, for any 16 levels and any even block size (multiples of 32 are fast): level × scale,
// rounded once to T.
template <typename T>
void DequantizeBlocks(const uint8_t* codes, const float* scales,
                      const std::array<float, 16>& levels, int64_t block, int64_t count,
                      T* elements);

}  // namespace mozgach
