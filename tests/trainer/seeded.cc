// Every test that has this file among its sources draws the same numbers each time it runs:
// libtorch begins with others in each process, and a bound that holds for most draws fails for
// some.
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
