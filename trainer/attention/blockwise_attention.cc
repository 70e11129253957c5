#include "trainer/attention/blockwise_attention.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/full.h>
#include <ATen/ops/log.h>
#include <ATen/ops/logical_or.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "trainer/lora/saved_value.h"

namespace mozgach {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Far below any score, but finite: a row that sees no key of a tile gets no NaN, and its sums are
// erased by the first visible score.
constexpr double kUnseen = -1e30;

// Shared by forward and backward. The query heads of a key head are stacked as its rows.
class Tiling {
 public:
  Tiling(const at::Tensor& q, const at::Tensor& k, double scale, int64_t window,
         const AttentionTiles& tiles)
      : scale_(scale),
        window_(window),
        tiles_(tiles),
        kv_heads_(k.size(1)),
        groups_(q.size(1) / k.size(1)),
        length_(q.size(2)),
        first_place_(k.size(2) - q.size(2)),
        wide_(q.scalar_type() == at::kDouble ? at::kDouble : at::kFloat) {}

  at::ScalarType wide() const { return wide_; }

  // Calls each(first query, queries) for each tile of queries.
  template <typename Each>
  void OverQueries(Each each) const {
    for (int64_t begin = 0; begin < length_; begin += tiles_.queries) {
      each(begin, std::min(tiles_.queries, length_ - begin));
    }
  }

  // Calls each(first key, keys) for each tile of keys with a key that these queries can see.
  template <typename Each>
  void OverKeys(int64_t query, int64_t queries, Each each) const {
    const int64_t end = first_place_ + query + queries;
    const int64_t first =
        window_ > 0 ? std::max<int64_t>(0, first_place_ + query - window_ + 1) : 0;
    for (int64_t begin = first; begin < end; begin += tiles_.keys) {
      each(begin, std::min(tiles_.keys, end - begin));
    }
  }

  // [documents, heads, length, n] → [documents, kv_heads, groups · queries, n]
  at::Tensor Rows(const at::Tensor& x, int64_t query, int64_t queries) const {
    return x.narrow(2, query, queries)
        .reshape({x.size(0), kv_heads_, groups_ * queries, x.size(3)})
        .to(wide_);
  }
  // The inverse: writes the rows to their place in `x`.
  void PutRows(const at::Tensor& rows, int64_t query, int64_t queries, at::Tensor& x) const {
    x.narrow(2, query, queries)
        .copy_(rows.view({x.size(0), kv_heads_ * groups_, queries, x.size(3)}));
  }
  at::Tensor Keys(const at::Tensor& x, int64_t key, int64_t keys) const {
    return x.narrow(2, key, keys).to(wide_);
  }

  // [documents, kv_heads, groups · queries, keys]
  at::Tensor Scores(const at::Tensor& rows, const at::Tensor& keys_tile, int64_t query,
                    int64_t queries, int64_t key, int64_t keys) const {
    at::Tensor scores = at::matmul(rows, keys_tile.transpose(2, 3)).mul_(scale_);
    const int64_t place = first_place_ + query;
    const bool whole =
        key + keys - 1 <= place && (window_ == 0 || key > place + queries - 1 - window_);
    if (whole) return scores;
    const auto options = at::TensorOptions().dtype(at::kLong).device(rows.device());
    const at::Tensor p = at::arange(place, place + queries, options).unsqueeze(1);
    const at::Tensor j = at::arange(key, key + keys, options).unsqueeze(0);
    at::Tensor hidden = j.gt(p);
    if (window_ > 0) hidden = at::logical_or(hidden, j.le(p.sub(window_)));
    scores.unflatten(2, {groups_, queries}).masked_fill_(hidden, kUnseen);
    return scores;
  }

  double scale() const { return scale_; }

 private:
  double scale_;
  int64_t window_;
  AttentionTiles tiles_;
  int64_t kv_heads_;
  int64_t groups_;
  int64_t length_;
  int64_t first_place_;
  at::ScalarType wide_;
};

// Returns y and log_sums [documents, heads, length, 1], the logarithms of the rows' sums.
std::pair<at::Tensor, at::Tensor> Forward(const at::Tensor& q, const at::Tensor& k,
                                          const at::Tensor& v, const Tiling& tiling) {
  at::Tensor y = at::empty(q.sizes(), q.options());
  at::Tensor log_sums =
      at::zeros({q.size(0), q.size(1), q.size(2), 1}, q.options().dtype(tiling.wide()));
  tiling.OverQueries([&](int64_t query, int64_t queries) {
    const at::Tensor rows = tiling.Rows(q, query, queries);
    at::Tensor sum = at::zeros({rows.size(0), rows.size(1), rows.size(2), 1}, rows.options());
    at::Tensor largest = at::full(sum.sizes(), kUnseen, rows.options());
    at::Tensor total = at::zeros(rows.sizes(), rows.options());
    tiling.OverKeys(query, queries, [&](int64_t key, int64_t keys) {
      at::Tensor scores = tiling.Scores(rows, tiling.Keys(k, key, keys), query, queries, key, keys);
      const at::Tensor now = at::maximum(largest, scores.amax({3}, /*keepdim=*/true));
      const at::Tensor fade = at::exp(at::sub(largest, now));
      scores.sub_(now).exp_();
      sum.mul_(fade).add_(scores.sum({3}, /*keepdim=*/true));
      total.mul_(fade).add_(at::matmul(scores, tiling.Keys(v, key, keys)));
      largest = now;
    });
    tiling.PutRows(total.div_(sum), query, queries, y);
    tiling.PutRows(largest.add_(at::log(sum)), query, queries, log_sums);
  });
  return {y, log_sums};
}

struct Saved {
  at::Tensor q, k, v, y, log_sums;
};

variable_list Backward(const Saved& saved, const at::Tensor& grad_y, const Tiling& tiling) {
  at::Tensor grad_q = at::empty(saved.q.sizes(), saved.q.options());
  at::Tensor grad_k = at::zeros(saved.k.sizes(), saved.k.options().dtype(tiling.wide()));
  at::Tensor grad_v = at::zeros(saved.v.sizes(), saved.v.options().dtype(tiling.wide()));
  tiling.OverQueries([&](int64_t query, int64_t queries) {
    const at::Tensor rows = tiling.Rows(saved.q, query, queries);
    const at::Tensor grad_rows = tiling.Rows(grad_y, query, queries);
    const at::Tensor log_sums = tiling.Rows(saved.log_sums, query, queries);
    const at::Tensor slope =
        at::mul(grad_rows, tiling.Rows(saved.y, query, queries)).sum({3}, /*keepdim=*/true);
    at::Tensor total = at::zeros(rows.sizes(), rows.options());
    tiling.OverKeys(query, queries, [&](int64_t key, int64_t keys) {
      const at::Tensor keys_tile = tiling.Keys(saved.k, key, keys);
      const at::Tensor weights =
          tiling.Scores(rows, keys_tile, query, queries, key, keys).sub_(log_sums).exp_();
      grad_v.narrow(2, key, keys).add_(at::matmul(weights.transpose(2, 3), grad_rows));
      at::Tensor grad_scores =
          at::matmul(grad_rows, tiling.Keys(saved.v, key, keys).transpose(2, 3));
      grad_scores.sub_(slope).mul_(weights).mul_(tiling.scale());
      total.add_(at::matmul(grad_scores, keys_tile));
      grad_k.narrow(2, key, keys).add_(at::matmul(grad_scores.transpose(2, 3), rows));
    });
    tiling.PutRows(total, query, queries, grad_q);
  });
  return {grad_q, grad_k.to(saved.k.scalar_type()), grad_v.to(saved.v.scalar_type())};
}

class BlockwiseAttentionFunction : public torch::autograd::Function<BlockwiseAttentionFunction> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& q, const at::Tensor& k,
                            const at::Tensor& v, const Tiling& tiling) {
    auto [y, log_sums] = Forward(q, k, v, tiling);
    ctx->save_for_backward({q, k, v, y, log_sums});
    ctx->saved_data["tiling"] = SaveValue(tiling);
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    variable_list result = Backward({saved[0], saved[1], saved[2], saved[3], saved[4]}, grads[0],
                                    SavedValueOf<Tiling>(ctx->saved_data["tiling"]));
    result.emplace_back();
    return result;
  }
};

}  // namespace

at::Tensor BlockwiseAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                              double scale, int64_t window, const AttentionTiles& tiles) {
  const Tiling tiling(q, k, scale, window, tiles);
  if (!at::GradMode::is_enabled()) return Forward(q, k, v, tiling).first;
  return BlockwiseAttentionFunction::apply(q, k, v, tiling);
}

}  // namespace mozgach
