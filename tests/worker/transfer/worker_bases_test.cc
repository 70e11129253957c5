// A worker without a base of its own, with those of its scheduler.
#include "tests/worker/worker_fixture.h"

namespace mozgach {
namespace {

using WorkerBasesTest = WorkerFixture;

TEST_F(WorkerBasesTest, FetchesTheBaseOfItsJobOnceAndCountsAsHavingIt) {
  const v1::BaseManifest base = scheduler_.AddBase(
      "big/one", {{"config.json", "{}"}, {"model.safetensors", std::string(100'000, 'w')}});
  const int64_t first = scheduler_.Submit("one", {}, "big/one");
  StartWorker();
  ASSERT_TRUE(scheduler_.WaitForState(first, "succeeded"));
  EXPECT_TRUE(WaitForLog(first, "fetching the base big/one"));
  EXPECT_TRUE(scheduler_.WaitForWorker([&](const auto& request) {
    return std::any_of(request.bases().begin(), request.bases().end(), [&](const v1::Base& each) {
      return each.digest() == base.digest() && each.size_bytes() == base.size_bytes();
    });
  }));
  const size_t downloads = scheduler_.download_offsets().size();
  StopWorker();
  StartWorker();
  const int64_t second = scheduler_.Submit("two", {}, "big/one");
  ASSERT_TRUE(scheduler_.WaitForState(second, "succeeded"));
  EXPECT_EQ(scheduler_.download_offsets().size(), downloads) << "its rows are the same as well";
}

TEST_F(WorkerBasesTest, SaysHowFarItIsAndStopsWhenTheJobIsCancelled) {
  scheduler_.AddBase("big/one",
                     {{"config.json", "{}"}, {"model.safetensors", std::string(5'000'000, 'w')}});
  scheduler_.SlowDown(std::chrono::milliseconds(2));
  const int64_t job = scheduler_.Submit("one", {}, "big/one");
  StartWorker();
  ASSERT_TRUE(scheduler_.WaitForWorker([&](const auto& request) {
    return request.base_fetches_size() == 1 && request.base_fetches(0).received_bytes() > 2;
  }));
  scheduler_.Cancel(job);
  EXPECT_TRUE(scheduler_.WaitForState(job, "cancelled"));
  EXPECT_TRUE(scheduler_.WaitForWorker(
      [&](const auto& request) { return request.base_fetches_size() == 0; }));
}

}  // namespace
}  // namespace mozgach
