#include "trainer/quant/frozen_weight.h"

#include <ATen/ops/empty.h>

#include <utility>

#include "trainer/memory/counted_memory.h"

namespace mozgach {
namespace {

const at::Tensor& Dense(const FrozenWeight::Part& part) { return std::get<at::Tensor>(part); }

std::pair<int64_t, int64_t> ShapeOf(const FrozenWeight::Part& part) {
  const auto* quantized = std::get_if<QuantizedWeight>(&part);
  if (quantized != nullptr) return {quantized->shape[0], quantized->shape[1]};
  return {Dense(part).size(0), Dense(part).size(1)};
}

at::Device DeviceOf(const FrozenWeight::Part& part) {
  const auto* quantized = std::get_if<QuantizedWeight>(&part);
  return quantized != nullptr ? quantized->codes.device() : Dense(part).device();
}

}  // namespace

at::Tensor DequantBuffer::Take(int64_t rows, int64_t columns, at::ScalarType type,
                               at::Device device) {
  const int64_t elements = rows * columns;
  if (!buffer_.defined() || buffer_.scalar_type() != type || buffer_.device() != device ||
      buffer_.numel() < elements) {
    buffer_ = at::Tensor();
    const MemoryScope scope(MemoryLine::kDequantBuffer);
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

FrozenWeight FrozenWeight::Joined(std::vector<Part> parts, at::ScalarType compute_dtype) {
  FrozenWeight result;
  for (const Part& part : parts) {
    const auto [rows, columns] = ShapeOf(part);
    result.rows_ += rows;
    result.columns_ = columns;
  }
  result.compute_dtype_ = compute_dtype;
  result.parts_ = std::move(parts);
  return result;
}

int64_t FrozenWeight::bytes() const {
  int64_t total = dense_.defined() ? static_cast<int64_t>(dense_.nbytes()) : 0;
  for (const Part& part : parts_) {
    const auto* quantized = std::get_if<QuantizedWeight>(&part);
    total +=
        quantized ? quantized->bytes() : static_cast<int64_t>(std::get<at::Tensor>(part).nbytes());
  }
  return total;
}

at::Tensor FrozenWeight::Get(DequantBuffer& buffer) const {
  if (!quantized()) return dense_;
  at::Tensor weight = buffer.Take(rows_, columns_, compute_dtype_, DeviceOf(parts_.front()));
  int64_t row = 0;
  for (const Part& part : parts_) {
    at::Tensor slice = weight.narrow(0, row, ShapeOf(part).first);
    if (const auto* quantized = std::get_if<QuantizedWeight>(&part)) {
      quantized->DequantizeInto(slice);
    } else {
      slice.copy_(std::get<at::Tensor>(part));
    }
    row += slice.size(0);
  }
  return weight;
}

}  // namespace mozgach
