// An Embedding maps token ids to vectors. It does not copy the table to memory: it gathers rows
// from the mapped file or the tensor and then converts them.
#pragma once

#include <ATen/core/Tensor.h>

#include <utility>

namespace mozgach {

class Embedding {
 public:
  Embedding() = default;
  // `table` is [vocab, hidden] in its stored type, on the CPU. Vectors have type `compute_dtype`
  // and are on `device`.
  Embedding(at::Tensor table, at::ScalarType compute_dtype, at::Device device)
      : table_(std::move(table)), compute_dtype_(compute_dtype), device_(device) {}

  // Maps ids [tokens] int64, below vocab, on any device to [tokens, hidden]. Not differentiable.
  at::Tensor Lookup(const at::Tensor& ids) const;

 private:
  at::Tensor table_;
  at::ScalarType compute_dtype_ = at::kFloat;
  at::Device device_ = at::kCPU;
};

}  // namespace mozgach
