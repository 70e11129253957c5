// Seeds libtorch before each test, so that every test program that links this file draws the same
// numbers in each run. By default libtorch uses a different seed in each process, and a bound that
// holds for most draws would sometimes fail.
#include <ATen/Context.h>
#include <gtest/gtest.h>

namespace mozgach {
namespace {

class Seed : public ::testing::EmptyTestEventListener {
  void OnTestStart(const ::testing::TestInfo&) override { at::manual_seed(108); }
};

[[maybe_unused]] const bool listening = [] {
  ::testing::UnitTest::GetInstance()->listeners().Append(new Seed);
  return true;
}();

}  // namespace
}  // namespace mozgach
