#include "trainer/quant/nf4_kernels.h"

#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include <algorithm>
#include <bit>

#include "trainer/kernels/cpu_features.h"
#include "trainer/quant/nf4.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace mozgach {
namespace {

constexpr float kSmallestScale = 1e-38f;

// Midpoints of neighbouring levels. An element on a midpoint gets the lower index.
const std::array<float, 15>& Bounds() {
  static const std::array<float, 15> kBounds = [] {
    std::array<float, 15> bounds;
    const auto& levels = Nf4Levels();
    for (size_t i = 0; i < bounds.size(); ++i) bounds[i] = (levels[i] + levels[i + 1]) / 2.0f;
    return bounds;
  }();
  return kBounds;
}

// Compares as integers: absolute values then order as floats do, and anything not finite is larger
// than all finite values.
MOZGACH_INLINE float LargestMagnitude(const float* values) {
  uint32_t largest = 0;
  for (int64_t i = 0; i < kNf4Block; ++i) {
    largest = std::max(largest, std::bit_cast<uint32_t>(values[i]) & 0x7fffffffu);
  }
  return std::bit_cast<float>(largest);
}

MOZGACH_INLINE void Indices(const float* scaled, uint32_t* indices) {
  const std::array<float, 15>& bounds = Bounds();
  for (int64_t i = 0; i < kNf4Block; ++i) indices[i] = 0;
  for (float bound : bounds) {
    for (int64_t i = 0; i < kNf4Block; ++i) indices[i] += scaled[i] > bound ? 1 : 0;
  }
}

// Quantises one block of `count` elements; zeros follow them in `values`. bitsandbytes multiplies
// full blocks by the reciprocal of their scale, and divides by the scale in a shorter last block.
MOZGACH_INLINE bool QuantizeBlock(float* values, int64_t count, float* scale, uint8_t* codes) {
  const float largest = LargestMagnitude(values);
  const float divisor = std::max(largest, kSmallestScale);
  if (count == kNf4Block) {
    const float reciprocal = 1.0f / divisor;
    for (int64_t i = 0; i < kNf4Block; ++i) values[i] *= reciprocal;
    *scale = largest;
  } else {
    for (int64_t i = 0; i < count; ++i) values[i] /= divisor;
    *scale = divisor;
  }
  uint32_t indices[kNf4Block];
  Indices(values, indices);
  for (int64_t i = 0; i < (count + 1) / 2; ++i) {
    codes[i] = static_cast<uint8_t>(indices[2 * i] << 4 | indices[2 * i + 1]);
  }
  return std::bit_cast<uint32_t>(largest) < 0x7f800000u;
}

template <typename T>
MOZGACH_INLINE bool QuantizeAll(const T* elements, int64_t count, float* scales, uint8_t* codes) {
  bool finite = true;
  for (int64_t begin = 0; begin < count; begin += kNf4Block) {
    const int64_t size = std::min(kNf4Block, count - begin);
    float values[kNf4Block] = {};
    for (int64_t i = 0; i < size; ++i) values[i] = static_cast<float>(elements[begin + i]);
    finite &= QuantizeBlock(values, size, scales + begin / kNf4Block, codes + begin / 2);
  }
  return finite;
}

// The 16 values a block can hold.
template <typename T>
MOZGACH_INLINE void BlockValues(const std::array<float, 16>& levels, float scale, T* values) {
  for (size_t i = 0; i < levels.size(); ++i) values[i] = static_cast<T>(levels[i] * scale);
}

template <typename T>
MOZGACH_INLINE void LookUp(const uint8_t* codes, const T* values, int64_t count, T* elements) {
  for (int64_t i = 0; i + 1 < count; i += 2) {
    elements[i] = values[codes[i / 2] >> 4];
    elements[i + 1] = values[codes[i / 2] & 15];
  }
  if (count % 2 != 0) elements[count - 1] = values[codes[count / 2] >> 4];
}

template <typename T>
MOZGACH_AVX512 bool QuantizeAvx512(const T* elements, int64_t count, float* scales,
                                   uint8_t* codes) {
  return QuantizeAll(elements, count, scales, codes);
}

template <typename T>
MOZGACH_AVX2 bool QuantizeAvx2(const T* elements, int64_t count, float* scales, uint8_t* codes) {
  return QuantizeAll(elements, count, scales, codes);
}

#if defined(__x86_64__)

constexpr int64_t kStep = 32;  // elements looked up at once

// 16 bytes of codes → 32 bytes of indices in element order.
MOZGACH_AVX512 inline __m256i Unpack(const uint8_t* codes) {
  const __m256i bytes =
      _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(codes)));
  const __m256i low = _mm256_slli_epi16(_mm256_and_si256(bytes, _mm256_set1_epi16(15)), 8);
  return _mm256_or_si256(_mm256_srli_epi16(bytes, 4), low);
}

// The values that a block can hold, as a lookup table in registers.
template <typename T>
struct Table;

template <>
struct Table<float> {
  __m512 values;
  MOZGACH_AVX512 Table(__m512 levels, float scale)
      : values(_mm512_mul_ps(levels, _mm512_set1_ps(scale))) {}
  MOZGACH_AVX512 void LookUp(__m256i indices, float* elements) const {
    const __m512i first = _mm512_cvtepu8_epi32(_mm256_castsi256_si128(indices));
    const __m512i second = _mm512_cvtepu8_epi32(_mm256_extracti128_si256(indices, 1));
    _mm512_storeu_ps(elements, _mm512_permutexvar_ps(first, values));
    _mm512_storeu_ps(elements + 16, _mm512_permutexvar_ps(second, values));
  }
};

MOZGACH_AVX512 inline void LookUpHalves(__m512i table, __m256i indices, void* elements) {
  _mm512_storeu_si512(elements, _mm512_permutexvar_epi16(_mm512_cvtepu8_epi16(indices), table));
}

// Rounds to nearest, ties to even; NaN becomes the NaN of c10::BFloat16.
MOZGACH_AVX512 inline __m256i ToBFloat16(__m512 values) {
  const __m512i bits = _mm512_castps_si512(values);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i rounded = _mm512_srli_epi32(
      _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff))), 16);
  const __mmask16 nan = _mm512_cmp_ps_mask(values, values, _CMP_UNORD_Q);
  return _mm512_cvtepi32_epi16(_mm512_mask_mov_epi32(rounded, nan, _mm512_set1_epi32(0x7fc0)));
}

template <>
struct Table<c10::BFloat16> {
  __m512i values;
  MOZGACH_AVX512 Table(__m512 levels, float scale)
      : values(_mm512_castsi256_si512(ToBFloat16(_mm512_mul_ps(levels, _mm512_set1_ps(scale))))) {}
  MOZGACH_AVX512 void LookUp(__m256i indices, c10::BFloat16* elements) const {
    LookUpHalves(values, indices, elements);
  }
};

template <>
struct Table<c10::Half> {
  __m512i values;
  MOZGACH_AVX512 Table(__m512 levels, float scale)
      : values(_mm512_castsi256_si512(
            _mm512_cvtps_ph(_mm512_mul_ps(levels, _mm512_set1_ps(scale)),
                            _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC))) {}
  MOZGACH_AVX512 void LookUp(__m256i indices, c10::Half* elements) const {
    LookUpHalves(values, indices, elements);
  }
};

// Dequantises whole blocks, whose size is a multiple of kStep.
template <typename T>
MOZGACH_AVX512 void DequantizeAvx512(const uint8_t* codes, const float* scales,
                                     const std::array<float, 16>& levels, int64_t block,
                                     int64_t blocks, T* elements) {
  const __m512 all = _mm512_loadu_ps(levels.data());
  for (int64_t i = 0; i < blocks; ++i) {
    const Table<T> table(all, scales[i]);
    const uint8_t* from = codes + i * block / 2;
    T* to = elements + i * block;
    for (int64_t j = 0; j < block; j += kStep) table.LookUp(Unpack(from + j / 2), to + j);
  }
}

#endif

}  // namespace

template <typename T>
bool QuantizeBlocks(const T* elements, int64_t count, float* scales, uint8_t* codes) {
  if (HasAvx512()) return QuantizeAvx512(elements, count, scales, codes);
  if (HasAvx2()) return QuantizeAvx2(elements, count, scales, codes);
  return QuantizeAll(elements, count, scales, codes);
}

template <typename T>
void DequantizeBlocks(const uint8_t* codes, const float* scales,
                      const std::array<float, 16>& levels, int64_t block, int64_t count,
                      T* elements) {
  int64_t begin = 0;
#if defined(__x86_64__)
  if (HasAvx512() && block % kStep == 0) {
    const int64_t blocks = count / block;
    DequantizeAvx512(codes, scales, levels, block, blocks, elements);
    begin = blocks * block;
  }
#endif
  T values[16];
  for (; begin < count; begin += block) {
    BlockValues(levels, scales[begin / block], values);
    LookUp(codes + begin / 2, values, std::min(block, count - begin), elements + begin);
  }
}

template bool QuantizeBlocks<float>(const float*, int64_t, float*, uint8_t*);
template bool QuantizeBlocks<c10::BFloat16>(const c10::BFloat16*, int64_t, float*, uint8_t*);
template bool QuantizeBlocks<c10::Half>(const c10::Half*, int64_t, float*, uint8_t*);
template void DequantizeBlocks<float>(const uint8_t*, const float*, const std::array<float, 16>&,
                                      int64_t, int64_t, float*);
template void DequantizeBlocks<c10::BFloat16>(const uint8_t*, const float*,
                                              const std::array<float, 16>&, int64_t, int64_t,
                                              c10::BFloat16*);
template void DequantizeBlocks<c10::Half>(const uint8_t*, const float*,
                                          const std::array<float, 16>&, int64_t, int64_t,
                                          c10::Half*);

}  // namespace mozgach
