#include "trainer/attention/windowed_attention.h"

#include <ATen/Parallel.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/full.h>
#include <ATen/ops/logical_and.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/zeros.h>

#include <limits>

#include "trainer/attention/blockwise_attention.h"
#include "trainer/attention/tiled_attention.h"

namespace mozgach {
namespace {

// Repeats keys and values for each query head.
at::Tensor Repeated(const at::Tensor& kv, int64_t times) {
  if (times == 1) return kv;
  return kv.unsqueeze(2)
      .expand({kv.size(0), kv.size(1), times, kv.size(2), kv.size(3)})
      .reshape({kv.size(0), kv.size(1) * times, kv.size(2), kv.size(3)});
}

// Calls libtorch's kernel; causal if `mask` is undefined.
at::Tensor Attend(const at::Tensor& q, at::Tensor k, at::Tensor v, const at::Tensor& mask,
                  double scale, KeptAttention* kept) {
  const int64_t times = q.size(1) / k.size(1);
  // The CPU's backward uses one thread per document and key head. If that is fewer than the
  // threads, repeat the key heads.
  const bool grouped = times > 1 && q.size(0) * k.size(1) >= 2 * at::get_num_threads();
  if (!grouped) {
    k = Repeated(k, times);
    v = Repeated(v, times);
  }
  const bool causal = !mask.defined() && q.size(2) > 1;
  if (q.is_cpu() && q.scalar_type() == at::kFloat) {
    return FlashAttention(q, k, v, mask, causal, scale, kept);
  }
  const std::optional<at::Tensor> bias = mask.defined() ? std::optional(mask) : std::nullopt;
  return at::scaled_dot_product_attention(q, k, v, bias, 0.0, causal, scale, grouped);
}

// Additive mask [1, 1, window, 2 · window]. The keys of the previous block and of its own block are
// concatenated; query i sees keys i + 1 to i + window.
at::Tensor BandMask(int64_t window, const at::Tensor& like) {
  const at::Tensor query = at::arange(window, at::kLong).unsqueeze(1);
  const at::Tensor key = at::arange(2 * window, at::kLong).unsqueeze(0);
  const at::Tensor seen = at::logical_and(key.gt(query), key.le(query.add(window)));
  at::Tensor mask =
      at::full({window, 2 * window}, -std::numeric_limits<float>::infinity(), at::kFloat);
  mask.masked_fill_(seen, 0);
  return mask.to(like.options()).unsqueeze(0).unsqueeze(0);
}

// [documents, heads, blocks · window, dim] → [documents · blocks, heads, window, dim]
at::Tensor Fold(const at::Tensor& x, int64_t window) {
  return x.unflatten(2, {-1, window}).transpose(1, 2).flatten(0, 1);
}

// Attends from each block of `window` queries to its own keys and those of the previous block.
at::Tensor AttendInBlocks(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                          double scale, int64_t window, KeptAttention* kept) {
  const int64_t length = q.size(2);
  const int64_t padding = (window - length % window) % window;
  const auto padded = [&](const at::Tensor& x) {
    return padding == 0 ? x : at::constant_pad_nd(x, {0, 0, 0, padding});
  };
  const at::Tensor q_all = padded(q), k_all = padded(k), v_all = padded(v);
  const int64_t rest = q_all.size(2) - window;
  const at::Tensor first = Attend(q_all.narrow(2, 0, window), k_all.narrow(2, 0, window),
                                  v_all.narrow(2, 0, window), {}, scale, kept);
  const auto pairs = [&](const at::Tensor& x) {
    return at::cat({Fold(x.narrow(2, 0, rest), window), Fold(x.narrow(2, window, rest), window)},
                   2);
  };
  const at::Tensor later = Attend(Fold(q_all.narrow(2, window, rest), window), pairs(k_all),
                                  pairs(v_all), BandMask(window, q), scale, kept);
  const at::Tensor unfolded = later.unflatten(0, {q.size(0), -1}).transpose(1, 2).flatten(2, 3);
  return at::cat({first, unfolded}, 2).narrow(2, 0, length);
}

}  // namespace

at::Tensor CausalAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                           double scale, int64_t window, KeptAttention* kept) {
  if (q.is_cpu() && q.scalar_type() == at::kBFloat16) {
    return TiledAttention(q, k, v, scale, window, kept);
  }
  if (q.is_mps()) return BlockwiseAttention(q, k, v, scale, window);
  if (window == 0 || q.size(2) <= window) return Attend(q, k, v, {}, scale, kept);
  return AttendInBlocks(q, k, v, scale, window, kept);
}

}  // namespace mozgach
