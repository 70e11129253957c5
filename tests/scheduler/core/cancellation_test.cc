#include "scheduler/core/cancellation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/scheduler/fleet.h"

namespace mozgach {
namespace {

using ::testing::HasSubstr;

class CancellationTest : public Fleet {
 protected:
  absl::StatusOr<v1::RetryResponse> Retry(int64_t job) {
    v1::RetryRequest request;
    request.mutable_selector()->add_jobs(job);
    return core_->Retry(now_, request);
  }
};

TEST_F(CancellationTest, QueuedJobIsCancelledAtOnce) {
  const int64_t job = SubmitOne("law");
  Cancel(job);
  EXPECT_EQ(State(job), "cancelled");
  EXPECT_EQ(Get(job).reason(), "cancelled by tester@here");
  TestWorker alpha("alpha");
  EXPECT_EQ(Claim(alpha).job(), 0);
}

TEST_F(CancellationTest, RunningJobIsToldToStopAndEndsWhenItHas) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha");
  const v1::Assignment assignment = Claim(alpha);
  alpha.Reports(assignment);
  Call(alpha);
  Cancel(job);
  EXPECT_EQ(State(job), "running");
  EXPECT_TRUE(Get(job).cancel_requested());
  EXPECT_EQ(core_->TakeWakeups().workers.count("alpha"), 1u) << "its held call is answered";
  EXPECT_EQ(Named(Call(alpha), job)->desired(), v1::Assignment::STOP);
  alpha.Reports(assignment, v1::AttemptReport::STOPPED);
  EXPECT_EQ(Named(Call(alpha), job), nullptr);
  EXPECT_EQ(State(job), "cancelled");
}

TEST_F(CancellationTest, CancelOfASilentWorkerEndsWithTheLease) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha");
  alpha.Reports(Claim(alpha));
  Call(alpha);
  Cancel(job);
  Pass(config_.lease);
  EXPECT_EQ(State(job), "cancelled");
}

TEST_F(CancellationTest, CancelSurvivesARestart) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha");
  alpha.Reports(Claim(alpha));
  Cancel(job);
  Restart();
  EXPECT_EQ(Named(Call(alpha), job)->desired(), v1::Assignment::STOP);
}

TEST_F(CancellationTest, ResultThatComesAfterTheCancelIsNotPublished) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha");
  const v1::Assignment assignment = Claim(alpha);
  Cancel(job);
  *alpha.Reports(assignment, v1::AttemptReport::FINISHED).mutable_result() = Result();
  EXPECT_EQ(Named(Call(alpha), job), nullptr);
  EXPECT_EQ(State(job), "cancelled");
  EXPECT_TRUE(Versions().empty());
}

TEST_F(CancellationTest, ResultThatCameFirstStands) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha");
  RunOne(alpha);
  v1::CancelRequest request;
  request.mutable_selector()->add_jobs(job);
  EXPECT_EQ(core_->Cancel(now_, request).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(State(job), "succeeded");
  EXPECT_EQ(Versions().size(), 1u);
}

TEST_F(CancellationTest, FailureAfterACancelIsACancel) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha");
  const v1::Assignment assignment = Claim(alpha);
  Cancel(job);
  alpha.Fails(assignment, v1::Failure::INFRASTRUCTURE, "trainer killed");
  Call(alpha);
  EXPECT_EQ(State(job), "cancelled");
}

TEST_F(CancellationTest, AssignmentNobodyHasReportedIsCancelledAtTheNextCall) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha");
  Claim(alpha);
  Cancel(job);
  EXPECT_EQ(Named(Call(alpha), job), nullptr);
  EXPECT_EQ(State(job), "cancelled");
}

TEST_F(CancellationTest, CancelOfNothingInParticularIsRefused) {
  SubmitOne("law");
  EXPECT_EQ(core_->Cancel(now_, v1::CancelRequest()).status().code(),
            absl::StatusCode::kInvalidArgument);
  v1::CancelRequest all;
  all.mutable_selector()->set_all(true);
  EXPECT_EQ(core_->Cancel(now_, all)->jobs_size(), 1);
}

TEST_F(CancellationTest, CancelOfAllPassesOverWhatIsOver) {
  SubmitOne("done");
  TestWorker alpha("alpha");
  RunOne(alpha);
  v1::CancelRequest all;
  all.mutable_selector()->set_all(true);
  EXPECT_EQ(core_->Cancel(now_, all)->jobs_size(), 0);
  const int64_t waiting = SubmitOne("waiting");
  const auto response = core_->Cancel(now_, all);
  ASSERT_TRUE(response.ok()) << response.status();
  ASSERT_EQ(response->jobs_size(), 1);
  EXPECT_EQ(response->jobs(0).job(), waiting);
  EXPECT_EQ(core_->Cancel(now_, all)->jobs_size(), 0) << "cancelled is over, too";
}

TEST_F(CancellationTest, CancelOfAJobThatIsOverSaysSoAndCancelsNothing) {
  const int64_t done = SubmitOne("done");
  TestWorker alpha("alpha");
  RunOne(alpha);
  const int64_t waiting = SubmitOne("waiting");
  v1::CancelRequest request;
  request.mutable_selector()->add_jobs(waiting);
  request.mutable_selector()->add_jobs(done);
  const auto refused = core_->Cancel(now_, request);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.status().message()),
              HasSubstr("job 1 of done is over already: succeeded"));
  EXPECT_EQ(State(waiting), "queued");
  Cancel(waiting);
  Cancel(waiting);  // as requested
}

TEST_F(CancellationTest, CancelOfAnUnknownNameCancelsNothing) {
  const int64_t job = SubmitOne("law");
  v1::CancelRequest request;
  request.mutable_selector()->add_domains("law");
  request.mutable_selector()->add_domains("lwa");
  EXPECT_EQ(core_->Cancel(now_, request).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(State(job), "queued");
}

TEST_F(CancellationTest, RetryIsANewJobThatNamesTheOld) {
  const int64_t job = SubmitOne("law", kTiny, 70);
  Cancel(job);
  const auto response = Retry(job);
  ASSERT_TRUE(response.ok()) << response.status();
  ASSERT_EQ(response->jobs_size(), 1);
  const v1::Job& fresh = response->jobs(0);
  EXPECT_NE(fresh.job(), job);
  EXPECT_EQ(fresh.retry_of(), job);
  EXPECT_EQ(fresh.state(), "queued");
  EXPECT_EQ(fresh.priority(), 70);
  EXPECT_EQ(fresh.spec_digest(), Get(job).spec_digest());
  EXPECT_EQ(State(job), "cancelled");
  TestWorker alpha("alpha");
  EXPECT_EQ(Claim(alpha).datasets_size(), 1);
}

TEST_F(CancellationTest, OnlyTheLatestFailedOrCancelledJobIsRetried) {
  const int64_t job = SubmitOne("law");
  EXPECT_THAT(std::string(Retry(job).status().message()), HasSubstr("is queued"));
  Cancel(job);
  ASSERT_TRUE(Retry(job).ok());
  const auto again = Retry(job);
  EXPECT_EQ(again.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(again.status().message()), HasSubstr("job 2 came after it"));
}

TEST_F(CancellationTest, RetryOfAllPassesOverWhatCannotBe) {
  const int64_t done = SubmitOne("done");
  TestWorker alpha("alpha");
  RunOne(alpha);
  Cancel(SubmitOne("law"));
  SubmitOne("waiting");
  v1::RetryRequest request;
  request.mutable_selector()->set_all(true);
  const auto response = core_->Retry(now_, request);
  ASSERT_TRUE(response.ok()) << response.status();
  ASSERT_EQ(response->jobs_size(), 1);
  EXPECT_EQ(response->jobs(0).domain(), "law");
  EXPECT_EQ(State(done), "succeeded");
}

TEST_F(CancellationTest, RetryWithoutItsDatasetSaysSo) {
  const int64_t job = SubmitOne("law");
  Cancel(job);
  ASSERT_TRUE(blobs_->Remove(state().queue.Datasets(job)->front().sha256()).ok());
  EXPECT_THAT(std::string(Retry(job).status().message()), HasSubstr("submit law again"));
}

}  // namespace
}  // namespace mozgach
