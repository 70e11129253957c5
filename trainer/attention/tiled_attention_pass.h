// Forward and backward of TiledAttention(), without autograd. For its sources only.
#pragma once

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "trainer/attention/attention_tiles.h"

namespace mozgach {

struct TiledInputs {
  at::Tensor q;  // as TiledAttention() takes them
  at::Tensor k;
  at::Tensor v;
  float scale = 1;
  int64_t window = 0;

  int64_t documents() const { return q.size(0); }
  int64_t heads() const { return q.size(1); }
  int64_t kv_heads() const { return k.size(1); }
  int64_t group() const { return heads() / kv_heads(); }
  int64_t length() const { return q.size(2); }
  int64_t dim() const { return q.size(3); }
  int64_t tiles() const { return (length() + kTile - 1) / kTile; }
  int64_t padded() const { return tiles() * kTile; }

  // The keys [FirstKey, EndKey) include all keys that the queries of a tile can see; FirstKey is
  // the start of a tile.
  int64_t FirstKey(int64_t query) const {
    const int64_t first = window > 0 ? std::max<int64_t>(0, query - window + 1) : 0;
    return first / kTile * kTile;
  }
  int64_t EndKey(int64_t query) const { return std::min(length(), query + kTile); }
  // True if some query of a tile must not see some key of a tile.
  bool Hides(int64_t query, int64_t key) const {
    return key + kTile > query || (window > 0 && key <= query + kTile - 1 - window);
  }
};

// Up to kTile rows of one head of x [documents, heads, length, dim], starting at row `first`.
inline TileRows RowsOf(const at::Tensor& x, int64_t document, int64_t head, int64_t first) {
  return {x.const_data_ptr<c10::BFloat16>() + document * x.stride(0) + head * x.stride(1) +
              first * x.stride(2),
          x.stride(2), std::min(kTile, x.size(2) - first)};
}

// Transposes every head of x: [documents · heads, dim, length padded to whole tiles].
at::Tensor TransposedHeads(const at::Tensor& x);

// Calls each(thread, task) for all tasks; task t runs on thread t mod threads.
template <typename Each>
void OverTasks(int64_t tasks, Each each) {
  const int64_t threads = at::get_num_threads();
  at::parallel_for(0, threads, 1, [&](int64_t first, int64_t last) {
    for (int64_t thread = first; thread < last; ++thread) {
      for (int64_t task = thread; task < tasks; task += threads) each(thread, task);
    }
  });
}

// Returns y, shaped as q, and the logarithms of the rows' sums, float32 [documents, heads, length].
std::pair<at::Tensor, at::Tensor> AttendInTiles(const TiledInputs& in);

struct TiledGradients {
  at::Tensor q;  // shaped as the inputs
  at::Tensor k;
  at::Tensor v;
};
TiledGradients TiledBackward(const TiledInputs& in, const at::Tensor& y, const at::Tensor& log_sums,
                             const at::Tensor& grad_y);

}  // namespace mozgach
