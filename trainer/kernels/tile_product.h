// Products of small matrices of bfloat16, added up in float32: what attention's tiles are made of.
// With the processor's bfloat16 instructions where it has them.
#pragma once

#include <cstdint>

namespace mozgach {

// c [m, n] = or += a [m, k] · b [k, n].  k is even, n a multiple of 16.
struct TileProduct {
  const uint16_t* a = nullptr;  // rows of bfloat16, a_stride elements apart
  int64_t a_stride = 0;
  // [k / 2, n] pairs, b_stride pairs apart: row 2i of b in the lower half of each, row 2i + 1 in
  // the upper.
  const uint32_t* b = nullptr;
  int64_t b_stride = 0;
  int64_t m = 0;
  int64_t n = 0;
  int64_t k = 0;
  float* c = nullptr;  // rows c_stride elements apart
  int64_t c_stride = 0;
  bool add = false;
};

// On the calling thread.
void Multiply(const TileProduct& product);

}  // namespace mozgach
