#include "trainer/models/runtime.h"

#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

namespace mozgach {
namespace {

constexpr int64_t kMebibyte = int64_t{1} << 20;

TEST(RuntimeTest, MemoryThatIsFreedGoesBackToTheSystem) {
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

TEST(RuntimeTest, MemoryOfTheMachineIsSensible) {
  EXPECT_GT(MemoryTotalBytes(), 100 * kMebibyte);
  EXPECT_GT(MemoryFreeBytes(), 0);
  EXPECT_LE(MemoryFreeBytes(), MemoryTotalBytes());
}

TEST(RuntimeTest, ThreadsAreSetAndZeroMeansAllCores) {
  SetThreads(1);
  EXPECT_EQ(Threads(), 1);
  SetThreads(0);
  EXPECT_GE(Threads(), 1);
}

}  // namespace
}  // namespace mozgach
