// What a worker may say.
#include <gtest/gtest.h>

#include "tests/scheduler/fleet.h"

namespace mozgach {
namespace {

TEST(RequestCheckTest, OrdinaryRequestIsTaken) {
  EXPECT_TRUE(CheckRequest(TestWorker("gpu-host.example_1").request).ok());
}

TEST(RequestCheckTest, OddNamesAreRefused) {
  for (const std::string& name : {std::string(), std::string("a b"), std::string("../x"),
                                  std::string(201, 'a'), std::string(3, '\1')}) {
    v1::SynchronizeRequest request = TestWorker("alpha").request;
    request.set_worker(name);
    EXPECT_EQ(CheckRequest(request).code(), absl::StatusCode::kInvalidArgument) << name;
  }
  v1::SynchronizeRequest request = TestWorker("alpha").request;
  request.clear_incarnation();
  EXPECT_FALSE(CheckRequest(request).ok());
}

TEST(RequestCheckTest, CountsAreBounded) {
  v1::SynchronizeRequest request = TestWorker("alpha").request;
  for (int i = 0; i < 1001; ++i) request.add_attempts();
  EXPECT_FALSE(CheckRequest(request).ok());
  request = TestWorker("alpha").request;
  for (int i = 0; i < 65; ++i) request.add_devices()->set_name("cpu");
  EXPECT_FALSE(CheckRequest(request).ok());
  request = TestWorker("alpha").request;
  for (int i = 0; i < 10001; ++i) request.add_bases()->set_name("a/b");
  EXPECT_FALSE(CheckRequest(request).ok());
  request = TestWorker("alpha").request;
  for (int i = 0; i < 201; ++i) request.mutable_bases(0)->add_revisions("main");
  EXPECT_FALSE(CheckRequest(request).ok());
}

TEST(RequestCheckTest, BasesAreNamedAsOnTheHub) {
  for (const char* name : {"", "/x", "a/b/c", "../a", ".a/b"}) {
    EXPECT_FALSE(CheckRequest(TestWorker("alpha", {name}).request).ok()) << name;
  }
}

TEST(RequestCheckTest, NumbersThatNoTrainingHasAreRefused) {
  TestWorker worker("alpha");
  v1::Progress& progress = *worker.Reports(1, 1).mutable_progress();
  progress.set_step(3);
  EXPECT_TRUE(CheckRequest(worker.request).ok());
  progress.set_steps(-1);
  EXPECT_FALSE(CheckRequest(worker.request).ok());
  progress.set_steps(10);
  progress.set_step(-1);
  EXPECT_FALSE(CheckRequest(worker.request).ok());
}

TEST(RequestCheckTest, DeviceIsNamedOnce) {
  TestWorker worker("alpha");
  const v1::Device device = [] {
    v1::Device each;
    each.set_name("cuda:7");
    return each;
  }();
  *worker.request.add_devices() = device;
  EXPECT_TRUE(CheckRequest(worker.request).ok());
  *worker.request.add_devices() = device;
  EXPECT_FALSE(CheckRequest(worker.request).ok());
}

}  // namespace
}  // namespace mozgach
