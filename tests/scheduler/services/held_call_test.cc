// Calls that are held open until there is something to say.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/scheduler/service.h"

namespace mozgach {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

class HeldCallTest : public Service {
 protected:
  struct Heard {
    grpc::Status status;
    v1::SynchronizeResponse response;
    milliseconds after;
  };
  // A call that is held; the worker lives as long as the future.
  std::future<Heard> Hold(const TestWorker& worker, uint64_t wait_ms = 8000) {
    TestWorker waiting = worker;
    waiting.request.set_wait_ms(wait_ms);
    return std::async(std::launch::async, [this, waiting] {
      Heard heard;
      const auto start = steady_clock::now();
      heard.status = Synchronize(waiting, &heard.response);
      heard.after = std::chrono::duration_cast<milliseconds>(steady_clock::now() - start);
      return heard;
    });
  }
  static bool IsHeld(std::future<Heard>& call) {
    return call.wait_for(milliseconds(150)) == std::future_status::timeout;
  }
};

TEST_F(HeldCallTest, SubmitWakesAWaitingWorkerAtOnce) {
  TestWorker alpha("alpha");
  alpha.Says(1);
  auto call = Hold(alpha);
  ASSERT_TRUE(IsHeld(call));
  const int64_t job = SubmitOne("law");
  const auto submitted = steady_clock::now();
  const Heard heard = call.get();
  ASSERT_TRUE(heard.status.ok()) << heard.status.error_message();
  ASSERT_EQ(heard.response.assignments_size(), 1);
  EXPECT_EQ(heard.response.assignments(0).job(), job);
  EXPECT_LT(steady_clock::now() - submitted, milliseconds(1000)) << "not at the end of its wait";
}

TEST_F(HeldCallTest, NothingToSayEndsWithTheWait) {
  TestWorker alpha("alpha");
  alpha.Says(1);
  const Heard heard = Hold(alpha, 300).get();
  EXPECT_TRUE(heard.status.ok());
  EXPECT_EQ(heard.response.assignments_size(), 0);
  EXPECT_GE(heard.after, milliseconds(290));
  EXPECT_LT(heard.after, milliseconds(3000));
}

TEST_F(HeldCallTest, CancelWakesTheWorkerThatRuns) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha");
  alpha.Says(1);
  alpha.Reports(Call(alpha).assignments(0));
  alpha.Says(0);
  auto call = Hold(alpha);
  ASSERT_TRUE(IsHeld(call));
  DeadlineContext deadline;
  v1::CancelRequest request;
  request.mutable_selector()->add_jobs(job);
  v1::CancelResponse response;
  ASSERT_TRUE(jobs_->Cancel(deadline, request, &response).ok());
  const Heard heard = call.get();
  ASSERT_EQ(heard.response.assignments_size(), 1);
  EXPECT_EQ(heard.response.assignments(0).desired(), v1::Assignment::STOP);
}

TEST_F(HeldCallTest, DrainWakesTheWorker) {
  TestWorker alpha("alpha");
  auto call = Hold(alpha);
  ASSERT_TRUE(IsHeld(call));
  DeadlineContext deadline;
  v1::DrainWorkerRequest request;
  request.set_worker("alpha");
  v1::Worker response;
  ASSERT_TRUE(jobs_->DrainWorker(deadline, request, &response).ok());
  EXPECT_EQ(response.state(), "draining");
  EXPECT_TRUE(call.get().response.drain());
}

TEST_F(HeldCallTest, NewerCallEndsTheHeldOne) {
  TestWorker alpha("alpha");
  auto call = Hold(alpha);
  ASSERT_TRUE(IsHeld(call));
  Call(alpha);
  EXPECT_EQ(call.get().status.error_code(), grpc::StatusCode::ABORTED);
}

TEST_F(HeldCallTest, NewIncarnationReplacesTheHeldOne) {
  auto call = Hold(TestWorker("alpha"));
  ASSERT_TRUE(IsHeld(call));
  Call(TestWorker("alpha", {kTiny}, "second"));
  EXPECT_TRUE(call.get().response.replaced());
}

TEST_F(HeldCallTest, WorkerWithTheBaseLoadedIsServedFirst) {
  TestWorker cold("cold"), warm("warm");
  warm.LoadsBase(kTiny);
  cold.Says(1);
  warm.Says(1);
  auto cold_call = Hold(cold, 2000);
  ASSERT_TRUE(IsHeld(cold_call));
  auto warm_call = Hold(warm, 2000);
  ASSERT_TRUE(IsHeld(warm_call));
  SubmitOne("law");
  EXPECT_EQ(warm_call.get().response.assignments_size(), 1);
  EXPECT_EQ(cold_call.get().response.assignments_size(), 0);
}

TEST_F(HeldCallTest, CallerThatGoesIsForgotten) {
  TestWorker alpha("alpha");
  alpha.Says(1);
  alpha.request.set_wait_ms(8000);
  {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + milliseconds(200));
    v1::SynchronizeResponse response;
    EXPECT_EQ(workers_->Synchronize(&context, alpha.request, &response).error_code(),
              grpc::StatusCode::DEADLINE_EXCEEDED);
  }
  std::this_thread::sleep_for(milliseconds(100));
  const int64_t job = SubmitOne("law");
  EXPECT_EQ(Get(job).state(), "queued") << "not given to who is not there";
}

TEST_F(HeldCallTest, HundredsOfWorkersWaitWithoutAThreadEach) {
  constexpr int kWorkers = 300;
  struct Waiting {
    explicit Waiting(const std::string& name) : worker(name) {}
    TestWorker worker;
    DeadlineContext deadline;
    v1::SynchronizeResponse response;
    std::promise<grpc::Status> done;
  };
  std::vector<std::unique_ptr<Waiting>> waiting;
  for (int i = 0; i < kWorkers; ++i) {
    waiting.push_back(std::make_unique<Waiting>(absl::StrCat("worker-", i)));
    Waiting& one = *waiting.back();
    one.worker.Says(1);
    one.worker.request.set_wait_ms(3000);
    workers_->async()->Synchronize(&one.deadline.context, &one.worker.request, &one.response,
                                   [&one](grpc::Status status) { one.done.set_value(status); });
  }
  std::this_thread::sleep_for(milliseconds(1000));
  v1::SubmitRequest request;
  for (int i = 0; i < 100; ++i) *request.add_domains() = Domain(absl::StrCat("domain-", i));
  DeadlineContext deadline;
  v1::SubmitResponse submitted;
  ASSERT_TRUE(jobs_->Submit(deadline, request, &submitted).ok());
  int given = 0;
  for (const auto& one : waiting) {
    EXPECT_TRUE(one->done.get_future().get().ok());
    given += one->response.assignments_size();
  }
  EXPECT_EQ(given, 100);
}

TEST_F(HeldCallTest, ShutdownEndsHeldCallsAtOnce) {
  TestWorker alpha("alpha");
  auto call = Hold(alpha);
  ASSERT_TRUE(IsHeld(call));
  const auto start = steady_clock::now();
  daemon_->Stop();
  EXPECT_EQ(call.get().status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_LT(steady_clock::now() - start, milliseconds(3000));
}

TEST_F(HeldCallTest, OddRequestIsRefusedNotHeld) {
  TestWorker odd("../../etc");
  v1::SynchronizeResponse response;
  EXPECT_EQ(Synchronize(odd, &response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace mozgach
