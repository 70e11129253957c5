#include "trainer/device/runtime.h"

#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include "tests/sanitizers/sanitized.h"

namespace mozgach {
namespace {

constexpr int64_t kMebibyte = int64_t{1} << 20;

TEST(RuntimeTest, FreedMemoryReturnsToTheSystem) {
  StartRuntime();
  ReleaseFreeMemory();
  const int64_t before = MemoryUsedBytes();
  ASSERT_GT(before, 0);
  ResetMemoryPeak();
  {
    const at::Tensor large = at::ones({64 * kMebibyte / 4});
    EXPECT_GT(MemoryUsedBytes(), before + 60 * kMebibyte);
  }
  ReleaseFreeMemory();
  EXPECT_LT(MemoryUsedBytes(), before + 8 * kMebibyte);
  EXPECT_GT(MemoryPeakBytes(), before + 60 * kMebibyte);
}

// oneDNN compiles a product for each shape if the processor has bfloat16 units. On other processors
// the test passes without oneDNN.
TEST(RuntimeTest, LimitsCachedProductsOfManyShapes) {
  if (kMemoryIsTheSanitizers) GTEST_SKIP() << "the sanitizer keeps freed memory";
  StartRuntime();
  const auto multiply = [](int64_t from, int64_t to) {
    const at::Tensor weight = at::ones({256, 64}, at::kBFloat16);
    for (int64_t length = from; length < to; ++length) {
      at::matmul(at::ones({length, 256}, at::kBFloat16), weight);
    }
    ReleaseFreeMemory();
  };
  multiply(200, 300);
  const int64_t before = MemoryUsedBytes();
  multiply(300, 800);
  EXPECT_LT(MemoryUsedBytes(), before + 40 * kMebibyte);
}

TEST(RuntimeTest, ReportsPlausibleMachineMemory) {
  EXPECT_GT(MemoryTotalBytes(), 100 * kMebibyte);
  EXPECT_GT(MemoryFreeBytes(), 0);
  EXPECT_LE(MemoryFreeBytes(), MemoryTotalBytes());
}

TEST(RuntimeTest, SetsThreadsAndZeroMeansAllCores) {
  SetThreads(1);
  EXPECT_EQ(Threads(), 1);
  SetThreads(0);
  EXPECT_GE(Threads(), 1);
}

}  // namespace
}  // namespace mozgach
