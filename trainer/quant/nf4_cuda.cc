#include "trainer/quant/nf4_cuda.h"

#include <algorithm>
#include <iostream>
#include <map>
#include <optional>
#include <utility>

#include "common/mutex.h"
#include "trainer/quant/cuda_kernel.h"
#include "trainer/quant/nf4_dequantize_source.h"

namespace mozgach {
namespace {

// Same layout as in the kernel's source.
struct Levels {
  float value[16];
};
struct Scales {
  const float* dense;
  const uint8_t* codes;
  const float* levels;
  const float* nested;
  float offset;
  unsigned nested_block;
};

constexpr int64_t kElements = 8;  // elements per thread
constexpr unsigned kThreads = 256;

const char* NameFor(at::ScalarType type) {
  return type == at::kFloat      ? "DequantizeToFloat"
         : type == at::kBFloat16 ? "DequantizeToBFloat16"
                                 : "DequantizeToHalf";
}

// Compiles the kernel for the first weight of each type on a device; nullopt if that failed.
const std::optional<CudaKernel>& KernelFor(at::Device device, at::ScalarType type) {
  static Mutex mutex;
  static auto& kernels = *new std::map<std::pair<int, at::ScalarType>, std::optional<CudaKernel>>;
  const MutexLock lock(mutex);
  const auto [at, is_new] = kernels.try_emplace({device.index(), type});
  if (is_new) {
    auto kernel = CudaKernel::Load(Nf4DequantizeSource(), NameFor(type), device);
    if (kernel.ok()) {
      at->second = *kernel;
    } else {
      std::cerr << "warning: 4-bit weights are dequantised by tensor operations, which is slower: "
                << kernel.status().message() << std::endl;
    }
  }
  return at->second;
}

bool Aligned(const void* address, uintptr_t bytes) {
  return reinterpret_cast<uintptr_t>(address) % bytes == 0;
}

Scales ScalesOf(const QuantizedWeight& weight) {
  if (!weight.double_quantized())
    return {weight.absmax.const_data_ptr<float>(), nullptr, nullptr, nullptr, 0, 1};
  return {nullptr,
          weight.absmax.const_data_ptr<uint8_t>(),
          weight.nested_levels.const_data_ptr<float>(),
          weight.nested_absmax.const_data_ptr<float>(),
          weight.offset,
          static_cast<unsigned>(weight.nested_block)};
}

}  // namespace

const char* Nf4DequantizeSource() { return kNf4DequantizeSource; }

bool DequantizeByKernel(const QuantizedWeight& weight, at::Tensor& out) {
  if (!out.is_cuda() || weight.block % kElements != 0) return false;
  const uint8_t* codes = weight.codes.const_data_ptr<uint8_t>();
  void* elements = out.mutable_data_ptr();
  if (!Aligned(codes, 4) || !Aligned(elements, 16)) return false;
  const std::optional<CudaKernel>& kernel = KernelFor(out.device(), out.scalar_type());
  if (!kernel) return false;

  Scales scales = ScalesOf(weight);
  Levels levels;
  std::copy(weight.levels.begin(), weight.levels.end(), levels.value);
  auto groups_per_block = static_cast<unsigned>(weight.block / kElements);
  auto count = static_cast<unsigned long long>(weight.elements());
  void* arguments[] = {&codes, &scales, &levels, &groups_per_block, &count, &elements};
  const auto groups = static_cast<unsigned>((count + kElements - 1) / kElements);
  const absl::Status launched =
      kernel->Launch((groups + kThreads - 1) / kThreads, kThreads, arguments);
  TORCH_CHECK(launched.ok(), launched.message());
  return true;
}

}  // namespace mozgach
