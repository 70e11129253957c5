#include "trainer/quant/frozen_weight.h"

#include <ATen/ops/empty.h>

#include <utility>

namespace mozgach {

at::Tensor DequantBuffer::Take(int64_t rows, int64_t columns, at::ScalarType type,
                               at::Device device) {
  const int64_t elements = rows * columns;
  if (!buffer_.defined() || buffer_.scalar_type() != type || buffer_.device() != device ||
      buffer_.numel() < elements) {
    buffer_ = at::Tensor();
    buffer_ = at::empty({elements}, at::TensorOptions().dtype(type).device(device));
  }
  return buffer_.narrow(0, 0, elements).view({rows, columns});
}

FrozenWeight FrozenWeight::Dense(at::Tensor weight) {
  FrozenWeight result;
  result.rows_ = weight.size(0);
  result.columns_ = weight.size(1);
  result.compute_dtype_ = weight.scalar_type();
  result.dense_ = std::move(weight);
  return result;
}

FrozenWeight FrozenWeight::Quantized(std::vector<QuantizedWeight> parts,
                                     at::ScalarType compute_dtype) {
  FrozenWeight result;
  for (const QuantizedWeight& part : parts) result.rows_ += part.shape[0];
  result.columns_ = parts.front().shape[1];
  result.compute_dtype_ = compute_dtype;
  result.parts_ = std::move(parts);
  return result;
}

int64_t FrozenWeight::bytes() const {
  int64_t total = dense_.defined() ? static_cast<int64_t>(dense_.nbytes()) : 0;
  for (const QuantizedWeight& part : parts_) total += part.bytes();
  return total;
}

at::Tensor FrozenWeight::Get(DequantBuffer& buffer) const {
  if (!quantized()) return dense_;
  at::Tensor weight = buffer.Take(rows_, columns_, compute_dtype_, parts_.front().codes.device());
  int64_t row = 0;
  for (const QuantizedWeight& part : parts_) {
    at::Tensor slice = weight.narrow(0, row, part.shape[0]);
    part.DequantizeInto(slice);
    row += part.shape[0];
  }
  return weight;
}

}  // namespace mozgach
