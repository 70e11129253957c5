#include "trainer/quant/nf4.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/sub.h>

#include <algorithm>
#include <atomic>

#include "absl/strings/str_cat.h"
#include "planner/ceil_divide.h"
#include "trainer/memory/counted_memory.h"
#include "trainer/quant/nf4_cuda.h"
#include "trainer/quant/nf4_kernels.h"
#include "trainer/quant/nf4_tensors.h"

namespace mozgach {
namespace {

// Elements that a thread takes at once.
constexpr int64_t kGrain = 256 * kNf4Block;

// The nearest dynamic level for each of 65,536 steps from -1 to 1. bitsandbytes on a CPU quantises
// with this table, so its result may differ by one level from the nearest level.
const std::vector<uint8_t>& DynamicTable() {
  static const std::vector<uint8_t> kTable = [] {
    constexpr int kSteps = 65536;
    const auto& levels = DynamicLevels();
    std::vector<uint8_t> table(kSteps);
    size_t level = 0;
    for (int i = 0; i < kSteps; ++i) {
      const float value = -1.0f + (2.0f * static_cast<float>(i)) / (kSteps - 1);
      while (level < 255 && 0.5f * (levels[level] + levels[level + 1]) < value) ++level;
      table[static_cast<size_t>(i)] = static_cast<uint8_t>(level);
    }
    return table;
  }();
  return kTable;
}

// Quantises one block of scales to 8 bits. The mean has been subtracted.
void QuantizeScales(const float* values, int64_t count, float* absmax, uint8_t* codes) {
  const std::vector<uint8_t>& table = DynamicTable();
  float largest = 0;
  for (int64_t i = 0; i < count; ++i) largest = std::max(largest, std::abs(values[i]));
  *absmax = largest;
  if (largest == 0) {
    std::fill(codes, codes + count, uint8_t{0});
    return;
  }
  const float reciprocal = 1.0f / largest;
  for (int64_t i = 0; i < count; ++i) {
    const float value = std::clamp(values[i] * reciprocal, -1.0f, 1.0f);
    const float step = (value + 1.0f) * 0.5f * 65535.0f + 0.5f;
    codes[i] = table[static_cast<uint16_t>(step)];
  }
}

void QuantizeScalesOf(const at::Tensor& scales, QuantizedWeight* weight) {
  const at::Tensor mean = at::mean(scales);
  weight->offset = mean.item<float>();
  const at::Tensor centred = at::sub(scales, mean);
  const int64_t blocks = scales.numel();
  weight->nested_levels = DynamicLevelsTensor();
  weight->absmax = at::empty({blocks}, at::kByte);
  weight->nested_absmax = at::empty({CeilDivide(blocks, kNf4NestedBlock)}, at::kFloat);
  for (int64_t begin = 0; begin < blocks; begin += kNf4NestedBlock) {
    QuantizeScales(centred.const_data_ptr<float>() + begin,
                   std::min(kNf4NestedBlock, blocks - begin),
                   weight->nested_absmax.mutable_data_ptr<float>() + begin / kNf4NestedBlock,
                   weight->absmax.mutable_data_ptr<uint8_t>() + begin);
  }
}

template <typename T>
bool QuantizeElements(const at::Tensor& weight, at::Tensor& scales, at::Tensor& codes) {
  const T* elements = weight.const_data_ptr<T>();
  float* scale = scales.mutable_data_ptr<float>();
  uint8_t* code = codes.mutable_data_ptr<uint8_t>();
  const int64_t count = weight.numel();
  std::atomic<bool> finite = true;
  at::parallel_for(0, scales.numel(), kGrain / kNf4Block, [&](int64_t first, int64_t last) {
    const int64_t begin = first * kNf4Block;
    const int64_t end = std::min(count, last * kNf4Block);
    if (!QuantizeBlocks(elements + begin, end - begin, scale + first, code + begin / 2)) {
      finite = false;
    }
  });
  return finite;
}

template <typename T>
void DequantizeElements(const QuantizedWeight& weight, const at::Tensor& scales, at::Tensor& out) {
  const uint8_t* codes = weight.codes.const_data_ptr<uint8_t>();
  const float* scale = scales.const_data_ptr<float>();
  T* elements = out.mutable_data_ptr<T>();
  const int64_t count = weight.elements();
  const int64_t grain = std::max<int64_t>(1, kGrain / weight.block);
  at::parallel_for(0, scales.numel(), grain, [&](int64_t first, int64_t last) {
    const int64_t begin = first * weight.block;
    const int64_t end = std::min(count, last * weight.block);
    DequantizeBlocks(codes + begin / 2, scale + first, weight.levels, weight.block, end - begin,
                     elements + begin);
  });
}

}  // namespace

int64_t QuantizedWeight::elements() const {
  int64_t count = 1;
  for (int64_t size : shape) count *= size;
  return count;
}

int64_t QuantizedWeight::bytes() const {
  return static_cast<int64_t>(codes.nbytes() + absmax.nbytes() +
                              (nested_absmax.defined() ? nested_absmax.nbytes() : 0));
}

at::Tensor QuantizedWeight::Scales() const {
  if (!double_quantized()) return absmax;
  if (!absmax.is_cpu()) return ScalesByTensors(*this);
  const int64_t blocks = absmax.numel();
  at::Tensor scales = at::empty({blocks}, at::kFloat);
  const uint8_t* code = absmax.const_data_ptr<uint8_t>();
  const float* nested = nested_absmax.const_data_ptr<float>();
  const float* levels = nested_levels.const_data_ptr<float>();
  float* scale = scales.mutable_data_ptr<float>();
  for (int64_t begin = 0; begin < blocks; begin += nested_block, ++nested) {
    const int64_t end = std::min(blocks, begin + nested_block);
    for (int64_t i = begin; i < end; ++i) scale[i] = levels[code[i]] * *nested + offset;
  }
  return scales;
}

void QuantizedWeight::DequantizeInto(at::Tensor& out) const {
  if (DequantizeByKernel(*this, out)) return;
  const at::Tensor scales = Scales();
  if (!out.is_cpu()) return DequantizeByTensors(*this, scales, out);
  switch (out.scalar_type()) {
    case at::kFloat:
      return DequantizeElements<float>(*this, scales, out);
    case at::kBFloat16:
      return DequantizeElements<c10::BFloat16>(*this, scales, out);
    default:
      return DequantizeElements<c10::Half>(*this, scales, out);
  }
}

QuantizedWeight QuantizedWeight::To(at::Device device) const {
  QuantizedWeight moved = *this;
  moved.codes = codes.to(device);
  moved.absmax = absmax.to(device);
  if (double_quantized()) {
    moved.nested_absmax = nested_absmax.to(device);
    moved.nested_levels = nested_levels.to(device);
  }
  return moved;
}

absl::StatusOr<QuantizedWeight> QuantizeNf4(const at::Tensor& weight, bool double_quant) {
  const at::ScalarType type = weight.scalar_type();
  if (type != at::kFloat && type != at::kBFloat16 && type != at::kHalf) {
    return absl::InvalidArgumentError(absl::StrCat(
        "only float32, bfloat16 and float16 weights can be quantised, not ", c10::toString(type)));
  }
  if (weight.numel() == 0) return absl::InvalidArgumentError("has no elements to quantise");
  const at::Tensor contiguous = weight.contiguous();
  QuantizedWeight quantized;
  quantized.shape = weight.sizes().vec();
  quantized.dtype = type;
  const MemoryScope scope(MemoryLine::kScales);
  {
    const MemoryScope codes(MemoryLine::kQuantizedWeights);
    quantized.codes = at::empty({(weight.numel() + 1) / 2}, at::kByte);
  }
  at::Tensor scales = at::empty({CeilDivide(weight.numel(), kNf4Block)}, at::kFloat);
  const bool finite =
      type == at::kFloat      ? QuantizeElements<float>(contiguous, scales, quantized.codes)
      : type == at::kBFloat16 ? QuantizeElements<c10::BFloat16>(contiguous, scales, quantized.codes)
                              : QuantizeElements<c10::Half>(contiguous, scales, quantized.codes);
  if (!finite) {
    return absl::DataLossError(
        "holds NaN or infinite numbers: the base is damaged; fetch it again, or use another base");
  }
  if (double_quant) {
    QuantizeScalesOf(scales, &quantized);
  } else {
    quantized.absmax = scales;
  }
  return quantized;
}

}  // namespace mozgach
