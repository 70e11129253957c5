// A FrozenWeight is the weight of one linear layer, or of several that read the same input and lie
// one behind another (q, k, v; gate, up): dense, or with parts in 4 bits, which are made dense when
// they are needed.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <variant>
#include <vector>

#include "trainer/quant/nf4.h"

namespace mozgach {

// One buffer that all quantised weights of a model are made dense in, one after another.  What it
// holds is good until the next use.
class DequantBuffer {
 public:
  // [rows, columns]; contents undefined.
  at::Tensor Take(int64_t rows, int64_t columns, at::ScalarType type, at::Device device);
  void Release() { buffer_ = at::Tensor(); }

 private:
  at::Tensor buffer_;
};

class FrozenWeight {
 public:
  FrozenWeight() = default;
  // [out, in] in the compute type.
  static FrozenWeight Dense(at::Tensor weight);
  // One behind another; all have the same number of columns and lie on one device.  Dense parts are
  // in the compute type.
  using Part = std::variant<QuantizedWeight, at::Tensor>;
  static FrozenWeight Joined(std::vector<Part> parts, at::ScalarType compute_dtype);

  int64_t rows() const { return rows_; }
  int64_t columns() const { return columns_; }
  at::ScalarType compute_dtype() const { return compute_dtype_; }
  // Whether Get() makes it in the buffer.
  bool quantized() const { return !parts_.empty(); }
  int64_t bytes() const;

  // [rows, columns] in the compute type, to be read: the weight itself, or made in `buffer`.
  at::Tensor Get(DequantBuffer& buffer) const;

 private:
  at::Tensor dense_;
  std::vector<Part> parts_;
  at::ScalarType compute_dtype_ = at::kFloat;
  int64_t rows_ = 0;
  int64_t columns_ = 0;
};

}  // namespace mozgach
