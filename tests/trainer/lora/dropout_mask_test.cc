#include "trainer/lora/dropout_mask.h"

#include <ATen/Parallel.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

namespace mozgach {
namespace {

at::Tensor Mask(const DropoutKey& key, double probability = 0.25) {
  return DropoutMask(key, probability, 301, 97, at::TensorOptions().dtype(at::kFloat));
}

TEST(DropoutMaskTest, SameKeyDrawsSameMaskOnAnyNumberOfThreads) {
  const at::Tensor mask = Mask({1, 2, 3, 4});
  at::set_num_threads(1);
  EXPECT_TRUE(at::equal(mask, Mask({1, 2, 3, 4})));
  at::set_num_threads(2);
  EXPECT_TRUE(at::equal(mask, Mask({1, 2, 3, 4})));
}

TEST(DropoutMaskTest, EveryPartOfTheKeyMatters) {
  const at::Tensor mask = Mask({1, 2, 3, 4});
  for (const DropoutKey& other :
       {DropoutKey{9, 2, 3, 4}, DropoutKey{1, 9, 3, 4}, DropoutKey{1, 2, 9, 4},
        DropoutKey{1, 2, 3, 9}, DropoutKey{1 | uint64_t{1} << 40, 2, 3, 4}}) {
    EXPECT_FALSE(at::equal(mask, Mask(other)));
  }
}

TEST(DropoutMaskTest, DropsRequestedShareAndScalesTheRest) {
  const at::Tensor mask = Mask({1, 2, 3, 4});
  const double dropped = mask.eq(0).to(at::kFloat).mean().item<double>();
  EXPECT_NEAR(dropped, 0.25, 0.01);
  EXPECT_NEAR(mask.max().item<double>(), 1 / 0.75, 1e-6);
  EXPECT_NEAR(mask.mean().item<double>(), 1.0, 0.02);
}

}  // namespace
}  // namespace mozgach
