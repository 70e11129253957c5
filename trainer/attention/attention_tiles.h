// What exact attention in bfloat16 does with one tile of scores: kTile queries against up to kTile
// keys.  Scores and weights lie with keys as rows and queries as columns, so that everything that
// is said of a query is a row of numbers.  All on the calling thread.
#pragma once

#include <c10/util/BFloat16.h>

#include <cstdint>

namespace mozgach {

inline constexpr int64_t kTile = 64;

// Rows of bfloat16, `stride` elements apart.
struct TileRows {
  const c10::BFloat16* data = nullptr;
  int64_t stride = 0;
  int64_t rows = 0;
};

// → [dim / 2, kTile]: the pairs of neighbouring elements, a column for each row; zero beyond
// `rows`.
void TransposePairs(const TileRows& from, int64_t dim, uint32_t* to);
// → [kTile / 2, dim]: row 2i in the lower halves, row 2i + 1 in the upper; zero beyond `rows`.
void InterleaveRows(const TileRows& from, int64_t dim, uint32_t* to);
// → [dim, rows], rows `to_stride` apart, zero up to kTile columns.
void TransposeRows(const TileRows& from, int64_t dim, uint16_t* to, int64_t to_stride);
// [dim, kTile] → `rows` rows of bfloat16, column i divided by divisors[i].
void PutColumns(const float* columns, int64_t dim, const float* divisors, int64_t rows,
                c10::BFloat16* to, int64_t stride);

// Sets the scores that query i may not see in key j.  `ahead`: the place of the first key minus
// that of the first query.  Key j is seen by queries j + ahead to, exclusive, j + ahead + window;
// window 0: all from there on.
void HideScores(float* scores, int64_t keys, int64_t ahead, int64_t window);

// The queries' running softmax.
struct RunningSoftmax {
  float largest[kTile];  // score so far, before `scale`
  float sum[kTile];
  float fade[kTile];  // what was added up before the last tile is to be multiplied with this
  void Begin();
};
// Takes a tile of scores [keys, kTile] in and puts e^(scale · (score - largest)) into `weights` as
// pairs of keys [(keys + 1) / 2, kTile].
void AddTile(float* scores, int64_t keys, float scale, RunningSoftmax* softmax, uint32_t* weights);
// columns [dim, kTile] times fade.
void Fade(const RunningSoftmax& softmax, int64_t dim, float* columns);
// The logarithms of the sums of e^(scale · score).
void LogSums(const RunningSoftmax& softmax, float scale, float* log_sums);

// The sum of a · b in each row; zero up to kTile.
void RowDots(const TileRows& a, const TileRows& b, int64_t dim, float* dots);
// From scores and the gradients of the weights, [keys, kTile] both, to the weights and the
// gradients of the scores: [keys rounded up to even, kTile], the latter also as pairs of keys.
struct TileGradients {
  uint16_t weights[kTile * kTile];
  uint16_t scores[kTile * kTile];
  uint32_t score_pairs[kTile / 2 * kTile];
};
void GradientsOfTile(const float* scores, const float* grad_weights, int64_t keys, float scale,
                     const float* log_sums, const float* dots, TileGradients* gradients);

}  // namespace mozgach
