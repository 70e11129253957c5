#include "trainer/memory/counted_memory.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include <thread>

#include "trainer/device/runtime.h"

namespace mozgach {
namespace {

// Other libraries may hold tensors, so the tests compare differences.
TEST(CountedMemory, CountsTensorsFromAllocationToRelease) {
  StartRuntime();
  const int64_t before = CountTensors().now;
  {
    const at::Tensor tensor = at::empty({1000}, at::kFloat);
    const at::Tensor view = tensor.narrow(0, 10, 20);
    EXPECT_EQ(CountTensors().now, before + 4000);
  }
  EXPECT_EQ(CountTensors().now, before);
}

TEST(CountedMemory, CountsForTheInnermostScopeEvenIfFreedOnAnotherThread) {
  StartRuntime();
  at::Tensor tensor;
  {
    const MemoryScope adapter(MemoryLine::kAdapter);
    const MemoryScope optimizer(MemoryLine::kOptimizer);
    tensor = at::empty({1000}, at::kFloat);
  }
  ResetCountedPeak();
  const int64_t held = CountTensors().at_peak[static_cast<size_t>(MemoryLine::kOptimizer)];
  EXPECT_GE(held, 4000);
  std::thread([&] { tensor = at::Tensor(); }).join();
  ResetCountedPeak();
  EXPECT_EQ(CountTensors().at_peak[static_cast<size_t>(MemoryLine::kOptimizer)], held - 4000);
}

TEST(CountedMemory, PeakStartsAtReset) {
  StartRuntime();
  { const at::Tensor large = at::empty({100000}, at::kFloat); }
  ResetCountedPeak();
  const int64_t before = CountTensors().now;
  EXPECT_EQ(CountTensors().peak, before);
  { const at::Tensor small = at::empty({100}, at::kFloat); }
  EXPECT_EQ(CountTensors().peak, before + 400);
}

TEST(CountedMemory, BlocksAreAlignedForVectorInstructions) {
  StartRuntime();
  for (const int64_t size : {1, 63, 64, 65, 4096, 1 << 22}) {
    const at::Tensor tensor = at::ones({size}, at::kByte);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.const_data_ptr()) % 64, 0u) << size;
  }
}

}  // namespace
}  // namespace mozgach
