// An Embedding turns token ids into vectors.  The table is not held in memory: rows are gathered
// from where it lies, the base's file mapped or a tensor, and converted after that.
#pragma once

#include <ATen/core/Tensor.h>

#include <utility>

namespace mozgach {

class Embedding {
 public:
  Embedding() = default;
  // `table` is [vocab, hidden] in the type it is stored in, on the CPU; vectors come in
  // `compute_dtype` on `device`.
  Embedding(at::Tensor table, at::ScalarType compute_dtype, at::Device device)
      : table_(std::move(table)), compute_dtype_(compute_dtype), device_(device) {}

  // ids [tokens] int64, below vocab, on any device → [tokens, hidden].  No gradient goes back.
  at::Tensor Lookup(const at::Tensor& ids) const;

 private:
  at::Tensor table_;
  at::ScalarType compute_dtype_ = at::kFloat;
  at::Device device_ = at::kCPU;
};

}  // namespace mozgach
