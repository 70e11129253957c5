// Shared parts of the row loops on a CPU (norm_kernels, gate_kernels, head_kernels). For their
// sources only.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "trainer/kernels/cpu_features.h"

namespace mozgach {

// Rows that a thread takes at once.
inline int64_t GrainRows(int64_t row_size) {
  constexpr int64_t kGrainElements = 16384;
  return std::max<int64_t>(1, kGrainElements / row_size);
}

// Sums use this many lanes on every processor, so that they round identically.
inline constexpr int64_t kLanes = 16;

template <typename Term>
MOZGACH_INLINE float SumOver(int64_t size, Term term) {
  float lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    for (int64_t j = 0; j < kLanes; ++j) lanes[j] += term(i + j);
  }
  for (; i < size; ++i) lanes[i % kLanes] += term(i);
  float sum = 0;
  for (float lane : lanes) sum += lane;
  return sum;
}

// e^x, accurate to about one unit in the last place (after Cephes' expf), in a form that compilers
// vectorise.
MOZGACH_INLINE float Exp(float x) {
  constexpr float kRound = 12582912.0f;  // 1.5 · 2^23: adding it rounds to an integer
  x = std::min(std::max(x, -87.0f), 88.0f);
  const float n = (x * 1.44269504088896341f + kRound) - kRound;
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  return p * std::bit_cast<float>((static_cast<int32_t>(n) + 127) << 23);
}

// Defines Name(…), which runs NameBody(…) compiled for this processor.
#define MOZGACH_DISPATCH(Name, parameters, arguments) \
  template <typename T, typename W = T>               \
  MOZGACH_AVX512 void Name##Avx512 parameters {       \
    Name##Body arguments;                             \
  }                                                   \
  template <typename T, typename W = T>               \
  MOZGACH_AVX2 void Name##Avx2 parameters {           \
    Name##Body arguments;                             \
  }                                                   \
  template <typename T, typename W = T>               \
  void Name parameters {                              \
    if (HasAvx512()) return Name##Avx512 arguments;   \
    if (HasAvx2()) return Name##Avx2 arguments;       \
    Name##Body arguments;                             \
  }

}  // namespace mozgach
