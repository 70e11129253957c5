// A FrozenWeight is the weight of one linear layer, or the stacked weights of several layers that
// read the same input (q, k, v; gate, up). It is dense, or has 4-bit parts that are dequantised
// when needed.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <variant>
#include <vector>

#include "trainer/quant/nf4.h"

namespace mozgach {

// A buffer shared by all quantised weights of a model, which are dequantised into it one after
// another. Its contents are valid until the next use.
class DequantBuffer {
 public:
  // Returns [rows, columns] with undefined contents.
  at::Tensor Take(int64_t rows, int64_t columns, at::ScalarType type, at::Device device);
  void Release() { buffer_ = at::Tensor(); }

 private:
  at::Tensor buffer_;
};

class FrozenWeight {
 public:
  FrozenWeight() = default;
  // `weight` is [out, in] in the compute type.
  static FrozenWeight Dense(at::Tensor weight);
  // Stacks `parts`, which have the same number of columns and are on one device. Dense parts are in
  // the compute type.
  using Part = std::variant<QuantizedWeight, at::Tensor>;
  static FrozenWeight Joined(std::vector<Part> parts, at::ScalarType compute_dtype);

  int64_t rows() const { return rows_; }
  int64_t columns() const { return columns_; }
  at::ScalarType compute_dtype() const { return compute_dtype_; }
  // True if Get() dequantises into the buffer.
  bool quantized() const { return !parts_.empty(); }
  int64_t bytes() const;

  // Returns [rows, columns] in the compute type, read-only: the weight itself, or its dequantised
  // form in `buffer`.
  at::Tensor Get(DequantBuffer& buffer) const;

 private:
  at::Tensor dense_;
  std::vector<Part> parts_;
  at::ScalarType compute_dtype_ = at::kFloat;
  int64_t rows_ = 0;
  int64_t columns_ = 0;
};

}  // namespace mozgach
