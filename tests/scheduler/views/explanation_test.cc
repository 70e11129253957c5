#include "scheduler/views/explanation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/placement/placement.h"
#include "tests/scheduler/fleet.h"

namespace mozgach {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ExplanationTest : public Fleet {
 protected:
  static WorkerState Busy() {
    WorkerState worker;
    worker.keys = {kTiny};
    worker.devices.emplace_back();
    return worker;
  }
};

TEST_F(ExplanationTest, NoWorkersAtAll) {
  const int64_t job = SubmitOne("law");
  EXPECT_THAT(Explain(job).summary(), HasSubstr("no worker has called yet"));
  EXPECT_THAT(Get(job).reason(), HasSubstr("start one with `mozgach-worker"));
}

TEST_F(ExplanationTest, EachWorkerSaysWhyNot) {
  TestWorker lacking("alpha"), busy("beta", {kQwen}), empty("gamma", {});
  SubmitOne("first", kQwen, 90);
  busy.Reports(Claim(busy));
  const int64_t job = SubmitOne("law", kQwen);
  Call(lacking);
  Call(busy);
  Call(empty);
  const v1::ExplainResponse explained = Explain(job);
  EXPECT_THAT(
      explained.lines(),
      ElementsAre("worker alpha: lacks base Qwen/Qwen2.5-3B; has mozgach/tiny",
                  "worker gamma: lacks base Qwen/Qwen2.5-3B; has no base at all: check its "
                  "--bases",
                  "its memory is not planned: the scheduler does not know the config.json of "
                  "Qwen/Qwen2.5-3B"));
  EXPECT_EQ(explained.summary(), "waits: worker beta: busy with job 1");
}

TEST_F(ExplanationTest, BaseThatNobodyHas) {
  TestWorker alpha("alpha"), beta("beta");
  const int64_t job = SubmitOne("law", kQwen);
  Call(alpha);
  Call(beta);
  EXPECT_EQ(Get(job).reason(),
            "no worker has base Qwen/Qwen2.5-3B (2 asked); `mozgachctl bases add DIR --name "
            "Qwen/Qwen2.5-3B` gives it to them");
}

TEST_F(ExplanationTest, LostAndDrainingWorkersAreSaidSo) {
  TestWorker alpha("alpha"), beta("beta");
  const int64_t job = SubmitOne("law");
  Call(alpha);
  Pass(config_.lease + Milliseconds(1));
  beta.request.set_draining(true);
  Call(beta);
  const v1::ExplainResponse explained = Explain(job);
  EXPECT_THAT(explained.lines(0), HasSubstr("worker alpha: has not called since"));
  EXPECT_THAT(explained.lines(1), HasSubstr("worker beta: drains"));
  EXPECT_EQ(explained.summary(),
            "waits: each of the 2 workers with its base is lost, draining or quarantined");
}

TEST_F(ExplanationTest, OneBusyWorkerAmongOthersIsOne) {
  TestWorker alpha("alpha"), beta("beta");
  SubmitOne("first");
  alpha.Reports(Claim(alpha));
  const int64_t job = SubmitOne("law");
  Call(alpha);
  beta.request.set_draining(true);
  Call(beta);
  EXPECT_EQ(Get(job).reason(), "the one worker with its base that takes work is busy");
}

TEST_F(ExplanationTest, BackOffSaysHowLong) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha");
  alpha.Fails(Claim(alpha), v1::Failure::INFRASTRUCTURE, "trainer died of signal 9");
  Call(alpha);
  EXPECT_THAT(Explain(job).summary(), HasSubstr("backs off for another 1.0 s"));
  EXPECT_THAT(Explain(job).summary(), HasSubstr("trainer died of signal 9"));
}

TEST_F(ExplanationTest, FinishedJobTellsItsAttempts) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha");
  const v1::Assignment first = Claim(alpha);
  v1::AttemptReport& report = alpha.Reports(first);
  report.set_device("cpu");
  report.mutable_progress()->set_step(7);
  report.mutable_progress()->set_steps(20);
  report.mutable_progress()->set_memory_planned_bytes(3 << 20);
  report.mutable_progress()->set_memory_peak_bytes(2 << 20);
  Call(alpha);
  Pass(config_.lease);
  alpha.Forgets();
  RunOne(alpha);
  const v1::ExplainResponse explained = Explain(job);
  EXPECT_EQ(explained.summary(), "published v0001");
  ASSERT_EQ(explained.lines_size(), 3);
  EXPECT_EQ(explained.lines(0), "scores, bare base → with the adapter: eval_loss 2 → 1");
  EXPECT_THAT(explained.lines(1), HasSubstr("attempt 1 on worker alpha (cpu)"));
  EXPECT_THAT(explained.lines(1), HasSubstr("lost, step 7 of 20"));
  EXPECT_THAT(explained.lines(1), HasSubstr("2.0 MiB at its peak (planned 3.0 MiB)"));
  EXPECT_THAT(explained.lines(1), HasSubstr("has not called for 30 s"));
  EXPECT_THAT(explained.lines(2), HasSubstr("attempt 2"));
  EXPECT_THAT(explained.lines(2), HasSubstr("succeeded"));
}

TEST_F(ExplanationTest, FailedJobSaysTheReason) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha");
  alpha.Fails(Claim(alpha), v1::Failure::DATA, "the loss is NaN at step 3");
  Call(alpha);
  EXPECT_EQ(Explain(job).summary(), "failed (data): the loss is NaN at step 3");
}

TEST_F(ExplanationTest, RunningJobSaysWhereAndHowLongItsLeaseLasts) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha");
  alpha.Reports(Claim(alpha));
  EXPECT_EQ(Explain(job).summary(),
            "runs as attempt 1 on worker alpha, whose lease lasts another 30.0 s");
  Cancel(job);
  EXPECT_THAT(Explain(job).summary(),
              HasSubstr("cancelled by tester@here; ends when worker alpha"));
}

TEST_F(ExplanationTest, WorkerWhoseTrainerStartsSaysSo) {
  TestWorker alpha("alpha");
  alpha.request.clear_devices();
  alpha.Says(0);
  const int64_t job = SubmitOne("law");
  Call(alpha);
  EXPECT_EQ(Get(job).reason(), "worker alpha: its trainer is starting");
}

TEST_F(ExplanationTest, SeveralJobsAreNamedInASentence) {
  EXPECT_EQ(WhyNot(Busy(), false, kTiny, {4}, false), "busy with job 4");
  EXPECT_EQ(WhyNot(Busy(), false, kTiny, {4, 6}, false), "busy with jobs 4 and 6");
  EXPECT_EQ(WhyNot(Busy(), false, kTiny, {4, 6, 9}, false), "busy with jobs 4, 6 and 9");
}

TEST_F(ExplanationTest, TrainingThatStandsStillSaysForHowLong) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha");
  v1::AttemptReport& report = alpha.Reports(Claim(alpha));
  for (int step = 1; step <= 6; ++step) {
    report.mutable_progress()->set_step(step);
    Pass(Milliseconds(20'000));
    Call(alpha);
  }
  EXPECT_EQ(Get(job).reason(), "");
  for (int calls = 0; calls < 5; ++calls) {
    Pass(Milliseconds(20'000));
    Call(alpha);
  }
  EXPECT_EQ(Get(job).reason(), "no step for 100 s");
  EXPECT_EQ(Explain(job).lines(0), "no step for 100 s");
  report.mutable_progress()->set_step(7);
  Call(alpha);
  EXPECT_EQ(Get(job).reason(), "");
}

TEST_F(ExplanationTest, UnknownJobsAndDomainsAreNotFound) {
  v1::ExplainRequest request;
  request.set_domain("law");
  EXPECT_EQ(core_->Explain(now_, request).status().code(), absl::StatusCode::kNotFound);
  request.set_job(7);
  EXPECT_EQ(core_->Explain(now_, request).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace mozgach
