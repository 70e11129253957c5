// Products of small bfloat16 matrices with float32 sums: the building block of tiled attention.
// Uses the processor's bfloat16 instructions if it has them.
#pragma once

#include <cstdint>

namespace mozgach {

// Sets c [m, n] to a [m, k] · b [k, n], or adds the product to c. k is even; n is a multiple of 16.
struct TileProduct {
  const uint16_t* a = nullptr;  // rows of bfloat16, a_stride elements apart
  int64_t a_stride = 0;
  // [k / 2, n] pairs, rows b_stride pairs apart. The lower half of a pair is from row 2i of b, the
  // upper half from row 2i + 1.
  const uint32_t* b = nullptr;
  int64_t b_stride = 0;
  int64_t m = 0;
  int64_t n = 0;
  int64_t k = 0;
  float* c = nullptr;  // rows c_stride elements apart
  int64_t c_stride = 0;
  bool add = false;  // add to c instead of overwriting it
};

// Runs on the calling thread.
void Multiply(const TileProduct& product);

}  // namespace mozgach
