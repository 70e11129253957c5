#include "trainer/attention/attention_tiles.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "trainer/kernels/vector_loops.h"

namespace mozgach {
namespace {

// Value of a hidden score. The running maximum starts above it, so a query that sees no key of a
// tile gets no weight from that tile.
constexpr float kHidden = -1e30f;
constexpr float kNothingYet = -1e20f;

MOZGACH_INLINE uint32_t Rounded(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  return bits + 0x7fffu + (bits >> 16 & 1u);
}

MOZGACH_INLINE uint16_t Bits(float value) { return static_cast<uint16_t>(Rounded(value) >> 16); }

MOZGACH_INLINE uint32_t Pair(float low, float high) {
  return Rounded(low) >> 16 | (Rounded(high) & 0xffff0000u);
}

// Exp() stops at its smallest normal result; a hidden score must have weight 0.
MOZGACH_INLINE float Weight(float exponent) {
  const float e = Exp(exponent);
  return exponent < -86.0f ? 0.0f : e;
}

MOZGACH_INLINE float Wide(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

template <typename T, typename W>
MOZGACH_INLINE void AddTileOfBody(T* scores, int64_t keys, float scale, RunningSoftmax* softmax,
                                  W* weights) {
  float now[kTile], sum[kTile];
  std::memcpy(now, softmax->largest, sizeof now);
  for (int64_t key = 0; key < keys; ++key) {
    const T* row = scores + key * kTile;
    for (int64_t i = 0; i < kTile; ++i) now[i] = row[i] > now[i] ? row[i] : now[i];
  }
  for (int64_t i = 0; i < kTile; ++i) {
    softmax->fade[i] = Weight((softmax->largest[i] - now[i]) * scale);
    sum[i] = softmax->sum[i] * softmax->fade[i];
    softmax->largest[i] = now[i];
  }
  for (int64_t key = 0; key < keys; key += 2) {
    T* low = scores + key * kTile;
    T* high = key + 1 < keys ? low + kTile : nullptr;
    W* pair = weights + key / 2 * kTile;
    if (high != nullptr) {
      for (int64_t i = 0; i < kTile; ++i) {
        const float first = Weight((low[i] - now[i]) * scale);
        const float second = Weight((high[i] - now[i]) * scale);
        sum[i] += first + second;
        pair[i] = Pair(first, second);
      }
    } else {
      for (int64_t i = 0; i < kTile; ++i) {
        const float first = Weight((low[i] - now[i]) * scale);
        sum[i] += first;
        pair[i] = Pair(first, 0.0f);
      }
    }
  }
  std::memcpy(softmax->sum, sum, sizeof sum);
}

MOZGACH_DISPATCH(AddTileOf,
                 (T * scores, int64_t keys, float scale, RunningSoftmax* softmax, W* weights),
                 (scores, keys, scale, softmax, weights))

template <typename T, typename W>
MOZGACH_INLINE void FadeOfBody(const T* fade, int64_t dim, W* columns) {
  for (int64_t d = 0; d < dim; ++d) {
    for (int64_t i = 0; i < kTile; ++i) columns[d * kTile + i] *= fade[i];
  }
}

MOZGACH_DISPATCH(FadeOf, (const T* fade, int64_t dim, W* columns), (fade, dim, columns))

template <typename T, typename W>
MOZGACH_INLINE void RowDotBody(const T* a, const T* b, int64_t dim, W* dot) {
  *dot = SumOver(dim, [&](int64_t i) { return Wide(a[i]) * Wide(b[i]); });
}

MOZGACH_DISPATCH(RowDot, (const T* a, const T* b, int64_t dim, W* dot), (a, b, dim, dot))

struct TileConstants {
  float scale;
  const float* log_sums;
  const float* dots;
};

template <typename T, typename W>
MOZGACH_INLINE void GradientRowBody(const T* score, const T* grad_weight, const TileConstants& of,
                                    W* weights, W* scores) {
  for (int64_t i = 0; i < kTile; ++i) {
    const float weight = Weight(score[i] * of.scale - of.log_sums[i]);
    weights[i] = Bits(weight);
    scores[i] = Bits(weight * (grad_weight[i] - of.dots[i]) * of.scale);
  }
}

MOZGACH_DISPATCH(GradientRow,
                 (const T* score, const T* grad_weight, const TileConstants& of, W* weights,
                  W* scores),
                 (score, grad_weight, of, weights, scores))

template <typename T, typename W>
MOZGACH_INLINE void InterleaveBody(const T* low, const T* high, int64_t count, W* to) {
  for (int64_t i = 0; i < count; ++i) {
    to[i] = static_cast<W>(low[i]) | static_cast<W>(high[i]) << 16;
  }
}

MOZGACH_DISPATCH(Interleave, (const T* low, const T* high, int64_t count, W* to),
                 (low, high, count, to))

const uint16_t* Row(const TileRows& from, int64_t row) {
  return reinterpret_cast<const uint16_t*>(from.data + row * from.stride);
}

}  // namespace

void TransposePairs(const TileRows& from, int64_t dim, uint32_t* to) {
  if (from.rows < kTile) std::memset(to, 0, static_cast<size_t>(dim / 2 * kTile) * sizeof *to);
  for (int64_t row = 0; row < from.rows; ++row) {
    const uint16_t* elements = Row(from, row);
    for (int64_t pair = 0; pair < dim / 2; ++pair) {
      std::memcpy(to + pair * kTile + row, elements + 2 * pair, sizeof *to);
    }
  }
}

void InterleaveRows(const TileRows& from, int64_t dim, uint32_t* to) {
  int64_t row = 0;
  for (; row + 1 < from.rows; row += 2, to += dim) {
    Interleave(Row(from, row), Row(from, row + 1), dim, to);
  }
  for (; row < kTile; row += 2, to += dim) {
    for (int64_t i = 0; i < dim; ++i) to[i] = row < from.rows ? Row(from, row)[i] : 0;
  }
}

void TransposeRows(const TileRows& from, int64_t dim, uint16_t* to, int64_t to_stride) {
  for (int64_t d = 0; d < dim; ++d) {
    uint16_t* column = to + d * to_stride;
    for (int64_t row = 0; row < from.rows; ++row) column[row] = Row(from, row)[d];
    std::fill(column + from.rows, column + kTile, uint16_t{0});
  }
}

void PutColumns(const float* columns, int64_t dim, const float* divisors, int64_t rows,
                c10::BFloat16* to, int64_t stride) {
  for (int64_t row = 0; row < rows; ++row) {
    auto* elements = reinterpret_cast<uint16_t*>(to + row * stride);
    for (int64_t d = 0; d < dim; ++d) elements[d] = Bits(columns[d * kTile + row] / divisors[row]);
  }
}

void HideScores(float* scores, int64_t keys, int64_t ahead, int64_t window) {
  for (int64_t key = 0; key < keys; ++key) {
    float* row = scores + key * kTile;
    const int64_t first = std::clamp<int64_t>(key + ahead, 0, kTile);
    const int64_t end = window > 0 ? std::clamp<int64_t>(key + ahead + window, 0, kTile) : kTile;
    std::fill(row, row + first, kHidden);
    std::fill(row + end, row + kTile, kHidden);
  }
}

void RunningSoftmax::Begin() {
  std::fill(largest, largest + kTile, kNothingYet);
  std::fill(sum, sum + kTile, 0.0f);
}

void AddTile(float* scores, int64_t keys, float scale, RunningSoftmax* softmax, uint32_t* weights) {
  AddTileOf(scores, keys, scale, softmax, weights);
}

void Fade(const RunningSoftmax& softmax, int64_t dim, float* columns) {
  FadeOf(softmax.fade, dim, columns);
}

void LogSums(const RunningSoftmax& softmax, float scale, float* log_sums) {
  for (int64_t i = 0; i < kTile; ++i) {
    log_sums[i] = softmax.largest[i] * scale + std::log(softmax.sum[i]);
  }
}

void RowDots(const TileRows& a, const TileRows& b, int64_t dim, float* dots) {
  std::fill(dots, dots + kTile, 0.0f);
  for (int64_t row = 0; row < a.rows; ++row) RowDot(Row(a, row), Row(b, row), dim, dots + row);
}

void GradientsOfTile(const float* scores, const float* grad_weights, int64_t keys, float scale,
                     const float* log_sums, const float* dots, TileGradients* gradients) {
  const TileConstants constants{scale, log_sums, dots};
  for (int64_t key = 0; key < keys; ++key) {
    GradientRow(scores + key * kTile, grad_weights + key * kTile, constants,
                gradients->weights + key * kTile, gradients->scores + key * kTile);
  }
  if (keys % 2 != 0) {
    std::memset(gradients->scores + keys * kTile, 0, kTile * sizeof(uint16_t));
  }
  for (int64_t key = 0; key < keys; key += 2) {
    Interleave(gradients->scores + key * kTile, gradients->scores + (key + 1) * kTile, kTile,
               gradients->score_pairs + key / 2 * kTile);
  }
}

}  // namespace mozgach
