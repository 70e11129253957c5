// Operations of exact bfloat16 attention on one tile of scores: kTile queries and up to kTile keys.
// Scores and weights have keys as rows and queries as columns, so that per-query values are rows of
// numbers. All functions run on the calling thread.
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

// Writes [dim / 2, kTile]: pairs of neighbouring elements, one column per row of `from`; zero
// beyond `rows`.
void TransposePairs(const TileRows& from, int64_t dim, uint32_t* to);
// Writes [kTile / 2, dim]: row 2i in the lower halves, row 2i + 1 in the upper halves; zero beyond
// `rows`.
void InterleaveRows(const TileRows& from, int64_t dim, uint32_t* to);
// Writes [dim, rows], rows `to_stride` apart, and zeros up to kTile columns.
void TransposeRows(const TileRows& from, int64_t dim, uint16_t* to, int64_t to_stride);
// Writes [dim, kTile] as `rows` rows of bfloat16; column i is divided by divisors[i].
void PutColumns(const float* columns, int64_t dim, const float* divisors, int64_t rows,
                c10::BFloat16* to, int64_t stride);

// Hides the scores of keys that a query must not attend to. `ahead`: position of the first key
// minus position of the first query. Key j is visible to queries i with j + ahead <= i < j + ahead
// + window; window 0: no upper bound.
void HideScores(float* scores, int64_t keys, int64_t ahead, int64_t window);

// Running softmax of the queries.
struct RunningSoftmax {
  float largest[kTile];  // largest score so far, before `scale`
  float sum[kTile];
  float fade[kTile];  // factor for the sums from before the last tile
  void Begin();
};
// Adds a tile of scores [keys, kTile] and writes e^(scale · (score - largest)) to `weights` as
// pairs of keys [(keys + 1) / 2, kTile].
void AddTile(float* scores, int64_t keys, float scale, RunningSoftmax* softmax, uint32_t* weights);
// Multiplies columns [dim, kTile] by `fade`.
void Fade(const RunningSoftmax& softmax, int64_t dim, float* columns);
// Writes log Σ e^(scale · score) of each query.
void LogSums(const RunningSoftmax& softmax, float scale, float* log_sums);

// Writes the sum of a · b of each row; zero up to kTile.
void RowDots(const TileRows& a, const TileRows& b, int64_t dim, float* dots);
// Computes the weights and the gradients of the scores from the scores and the gradients of the
// weights (both [keys, kTile]). Results are [keys rounded up to even, kTile]; the gradients of the
// scores are also stored as pairs of keys.
struct TileGradients {
  uint16_t weights[kTile * kTile];
  uint16_t scores[kTile * kTile];
  uint32_t score_pairs[kTile / 2 * kTile];
};
void GradientsOfTile(const float* scores, const float* grad_weights, int64_t keys, float scale,
                     const float* log_sums, const float* dots, TileGradients* gradients);

}  // namespace mozgach
