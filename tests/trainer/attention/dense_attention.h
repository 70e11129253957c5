// Attention computed by its formula with a dense mask: the reference for the other implementations.
#pragma once

#include <ATen/ops/arange.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>

#include <limits>

namespace mozgach {

// As in BlockwiseAttention(), the queries are those of the last positions.
inline at::Tensor DenseAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                 double scale, int64_t window) {
  const int64_t places = k.size(2), times = q.size(1) / k.size(1);
  const at::Tensor keys = k.repeat_interleave(times, 1), values = v.repeat_interleave(times, 1);
  const at::Tensor i = at::arange(places - q.size(2), places).unsqueeze(1);
  const at::Tensor j = at::arange(places).unsqueeze(0);
  at::Tensor hidden = j.gt(i);
  if (window > 0) hidden = hidden.logical_or(j.le(i.sub(window)));
  const at::Tensor scores = at::matmul(q, keys.transpose(2, 3))
                                .mul(scale)
                                .masked_fill(hidden, -std::numeric_limits<double>::infinity());
  return at::matmul(at::softmax(scores, -1), values);
}

inline double Distance(const at::Tensor& a, const at::Tensor& b) {
  return a.to(at::kDouble).sub(b).norm().item<double>() / b.norm().item<double>();
}

}  // namespace mozgach
