#include "trainer/kernels/tile_product.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "trainer/kernels/vector_loops.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define MOZGACH_AVX512_BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))
#endif

namespace mozgach {
namespace {

constexpr int64_t kVector = 16;

#if defined(__x86_64__)

// Registers of sixteen floats: 6 rows of 4 registers leave room for b and a.
constexpr int kRows = 6;
constexpr int kColumns = 4;

template <int R, int V>
MOZGACH_AVX512_BF16 void MultiplyBlock(const TileProduct& x, int64_t row, int64_t column) {
  __m512 sums[R][V];
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) {
      const float* c = x.c + (row + r) * x.c_stride + column + v * kVector;
      sums[r][v] = x.add ? _mm512_loadu_ps(c) : _mm512_setzero_ps();
    }
  }
  const uint16_t* a = x.a + row * x.a_stride;
  const uint32_t* b = x.b + column;
  for (int64_t pair = 0; pair < x.k / 2; ++pair, b += x.b_stride) {
    __m512bh columns[V];
    for (int v = 0; v < V; ++v) columns[v] = (__m512bh)_mm512_loadu_si512(b + v * kVector);
    for (int r = 0; r < R; ++r) {
      int32_t both;
      std::memcpy(&both, a + r * x.a_stride + 2 * pair, sizeof both);
      const __m512bh spread = (__m512bh)_mm512_set1_epi32(both);
      for (int v = 0; v < V; ++v) {
        sums[r][v] = _mm512_dpbf16_ps(sums[r][v], spread, columns[v]);
      }
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) {
      _mm512_storeu_ps(x.c + (row + r) * x.c_stride + column + v * kVector, sums[r][v]);
    }
  }
}

template <int V>
void MultiplyColumns(const TileProduct& x, int64_t column) {
  int64_t row = 0;
  for (; row + kRows <= x.m; row += kRows) MultiplyBlock<kRows, V>(x, row, column);
  switch (x.m - row) {
    case 1:
      return MultiplyBlock<1, V>(x, row, column);
    case 2:
      return MultiplyBlock<2, V>(x, row, column);
    case 3:
      return MultiplyBlock<3, V>(x, row, column);
    case 4:
      return MultiplyBlock<4, V>(x, row, column);
    case 5:
      return MultiplyBlock<5, V>(x, row, column);
    default:
      return;
  }
}

void MultiplyAvx512Bf16(const TileProduct& x) {
  int64_t column = 0;
  for (; column + kColumns * kVector <= x.n; column += kColumns * kVector) {
    MultiplyColumns<kColumns>(x, column);
  }
  switch ((x.n - column) / kVector) {
    case 1:
      return MultiplyColumns<1>(x, column);
    case 2:
      return MultiplyColumns<2>(x, column);
    case 3:
      return MultiplyColumns<3>(x, column);
    default:
      return;
  }
}

bool HasAvx512Bf16() {
  static const bool has = HasAvx512() && __builtin_cpu_supports("avx512bf16");
  return has;
}

#endif

MOZGACH_INLINE float Low(uint32_t pair) { return std::bit_cast<float>(pair << 16); }
MOZGACH_INLINE float High(uint32_t pair) { return std::bit_cast<float>(pair & 0xffff0000u); }

template <typename T, typename W>
MOZGACH_INLINE void MultiplyRowBody(const T* a, const W* b, int64_t b_stride, int64_t n, int64_t k,
                                    float* c) {
  for (int64_t pair = 0; pair < k / 2; ++pair) {
    const float first = std::bit_cast<float>(static_cast<uint32_t>(a[2 * pair]) << 16);
    const float second = std::bit_cast<float>(static_cast<uint32_t>(a[2 * pair + 1]) << 16);
    const W* columns = b + pair * b_stride;
    for (int64_t i = 0; i < n; ++i) c[i] += first * Low(columns[i]) + second * High(columns[i]);
  }
}

MOZGACH_DISPATCH(MultiplyRow,
                 (const T* a, const W* b, int64_t b_stride, int64_t n, int64_t k, float* c),
                 (a, b, b_stride, n, k, c))

}  // namespace

void Multiply(const TileProduct& x) {
#if defined(__x86_64__)
  if (HasAvx512Bf16()) return MultiplyAvx512Bf16(x);
#endif
  for (int64_t row = 0; row < x.m; ++row) {
    float* c = x.c + row * x.c_stride;
    if (!x.add) std::fill(c, c + x.n, 0.0f);
    MultiplyRow(x.a + row * x.a_stride, x.b, x.b_stride, x.n, x.k, c);
  }
}

}  // namespace mozgach
