// Runs the CUDA kernel's source compiled for the CPU, one thread after another, and compiles it by
// NVRTC for devices. tests/gpu runs it on a device.
#include "trainer/quant/nf4_cuda.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <c10/util/Half.h>
#include <gtest/gtest.h>

#include <bit>

#include "trainer/quant/cuda_kernel.h"

namespace mozgach {
namespace on_processor {

struct Index {
  unsigned x;
};
Index threadIdx, blockIdx, blockDim = {256};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
float __fmul_rn(float a, float b) { return a * b; }
float __fadd_rn(float a, float b) { return a + b; }
unsigned __float_as_uint(float value) { return std::bit_cast<unsigned>(value); }
unsigned short HalfBits(float value) { return c10::Half(value).x; }
void __syncthreads() {}

#define __device__
#define __global__
#define __shared__ static
#include "trainer/quant/nf4_dequantize.cu"

// Runs every thread twice, so that the shared data that the first threads of a block write is
// complete in the second run.
template <typename Kernel>
void Launch(Kernel kernel, const QuantizedWeight& weight, void* out) {
  Scales scales = {};
  if (weight.double_quantized()) {
    scales.codes = weight.absmax.const_data_ptr<uint8_t>();
    scales.levels = weight.nested_levels.const_data_ptr<float>();
    scales.nested = weight.nested_absmax.const_data_ptr<float>();
    scales.offset = weight.offset;
    scales.nested_block = static_cast<unsigned>(weight.nested_block);
  } else {
    scales.dense = weight.absmax.const_data_ptr<float>();
  }
  Levels levels;
  std::copy(weight.levels.begin(), weight.levels.end(), levels.value);
  const auto groups = static_cast<unsigned>((weight.elements() + 7) / 8);
  for (int time = 0; time < 2; ++time) {
    for (blockIdx.x = 0; blockIdx.x * blockDim.x < groups; ++blockIdx.x) {
      for (threadIdx.x = 0; threadIdx.x < blockDim.x; ++threadIdx.x) {
        kernel(weight.codes.const_data_ptr<uint8_t>(), scales, levels,
               static_cast<unsigned>(weight.block / 8),
               static_cast<unsigned long long>(weight.elements()), out);
      }
    }
  }
}

}  // namespace on_processor

namespace {

at::Tensor ByKernel(const QuantizedWeight& weight, at::ScalarType type) {
  using namespace on_processor;
  at::Tensor out = at::full(weight.shape, -7, type);
  const auto as = [](auto* kernel, auto* element) {
    using Element = std::remove_pointer_t<decltype(element)>;
    return [=](auto codes, auto& scales, auto& levels, auto groups, auto count, void* out) {
      kernel(codes, scales, levels, groups, count, static_cast<Element*>(out));
    };
  };
  unsigned short* bits = nullptr;
  float* number = nullptr;
  if (type == at::kFloat) Launch(as(DequantizeToFloat, number), weight, out.mutable_data_ptr());
  if (type == at::kBFloat16) Launch(as(DequantizeToBFloat16, bits), weight, out.mutable_data_ptr());
  if (type == at::kHalf) Launch(as(DequantizeToHalf, bits), weight, out.mutable_data_ptr());
  return out;
}

TEST(Nf4CudaTest, KernelMatchesLoopsBitForBit) {
  for (const std::vector<int64_t>& shape :
       {std::vector<int64_t>{96, 96}, {7, 50}, {3, 5}, {1, 1}, {300, 128}, {515, 129}}) {
    for (const bool double_quant : {false, true}) {
      const QuantizedWeight weight = *QuantizeNf4(at::randn(shape), double_quant);
      for (at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
        at::Tensor expected = at::empty(shape, type);
        weight.DequantizeInto(expected);
        EXPECT_TRUE(at::equal(ByKernel(weight, type), expected))
            << shape[0] << " × " << shape[1] << " " << c10::toString(type) << " " << double_quant;
      }
    }
  }
}

TEST(Nf4CudaTest, IsNotUsedOnCpu) {
  const QuantizedWeight weight = *QuantizeNf4(at::randn({8, 64}), true);
  at::Tensor out = at::empty({8, 64}, at::kFloat);
  EXPECT_FALSE(DequantizeByKernel(weight, out));
}

TEST(Nf4CudaTest, NvrtcCompilesForEveryArchitecture) {
  const auto probe = CompileCuda("extern \"C\" __global__ void Nothing() {}", 8, 0);
  if (probe.status().code() == absl::StatusCode::kUnavailable) GTEST_SKIP() << probe.status();
  for (const auto& [major, minor] :
       {std::pair{7, 5}, {8, 0}, {8, 6}, {8, 9}, {9, 0}, {10, 0}, {12, 0}}) {
    const auto cubin = CompileCuda(Nf4DequantizeSource(), major, minor);
    ASSERT_TRUE(cubin.ok()) << major << "." << minor << ": " << cubin.status();
    EXPECT_EQ(cubin->substr(1, 3), "ELF");
    for (const char* name : {"DequantizeToFloat", "DequantizeToBFloat16", "DequantizeToHalf"}) {
      EXPECT_NE(cubin->find(name), std::string::npos) << name;
    }
  }
}

TEST(Nf4CudaTest, ErrorContainsCompilerMessage) {
  const auto cubin = CompileCuda("extern \"C\" __global__ void Wrong() { return nonsense; }", 8, 0);
  if (cubin.status().code() == absl::StatusCode::kUnavailable) GTEST_SKIP() << cubin.status();
  EXPECT_NE(cubin.status().message().find("nonsense"), std::string::npos) << cubin.status();
}

}  // namespace
}  // namespace mozgach
