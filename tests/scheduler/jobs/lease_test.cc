// Leases and fencing: who may still write, and who no longer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/scheduler/fleet.h"

namespace mozgach {
namespace {

using ::testing::HasSubstr;

class LeaseTest : public Fleet {
 protected:
  Milliseconds Almost() const { return config_.lease - Milliseconds(1); }
};

TEST_F(LeaseTest, ExpiresExactlyAtItsEndAndTheJobGoesToAnother) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha"), beta("beta");
  alpha.Reports(Claim(alpha));
  Call(alpha);
  Pass(Almost());
  EXPECT_EQ(State(job), "running");
  Pass(Milliseconds(1));
  EXPECT_EQ(State(job), "queued");
  EXPECT_EQ(Get(job).failure_class(), "lost");
  EXPECT_EQ(Get(job).failures(), 0);
  const v1::Assignment second = Claim(beta);
  EXPECT_EQ(second.job(), job);
  EXPECT_EQ(second.attempt(), 2);
}

TEST_F(LeaseTest, ACallRenewsIt) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha");
  alpha.Reports(Claim(alpha));
  for (int i = 0; i < 10; ++i) {
    Call(alpha);
    Pass(Almost());
    EXPECT_EQ(State(job), "running");
  }
}

TEST_F(LeaseTest, HeldCallRenewsNothing) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha");
  alpha.Reports(Claim(alpha));
  Call(alpha);
  Pass(Almost());
  ASSERT_TRUE(core_->Synchronize(now_, alpha.request, true).ok());
  Pass(Milliseconds(1));
  EXPECT_EQ(State(job), "queued");
}

TEST_F(LeaseTest, WorkerWokenAfterItsLeaseChangesNothingButACounter) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha"), beta("beta");
  const v1::Assignment first = Claim(alpha);
  alpha.Reports(first);
  Call(alpha);
  Pass(config_.lease);
  beta.Reports(Claim(beta));
  Call(beta);
  *alpha.Reports(first, v1::AttemptReport::FINISHED).mutable_result() = Result();
  const v1::SynchronizeResponse response = Call(alpha);
  EXPECT_EQ(Named(response, job), nullptr) << "it is told to stop";
  EXPECT_EQ(State(job), "running");
  EXPECT_EQ(Get(job).worker(), "beta");
  EXPECT_EQ(Get(job).attempt(), 2);
  EXPECT_TRUE(Versions().empty());
  EXPECT_EQ(state().counters.stale_reports, 1);
}

TEST_F(LeaseTest, StaleReportOfAQueuedJobChangesNothing) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha");
  const v1::Assignment first = Claim(alpha);
  alpha.Reports(first);
  Pass(config_.lease);
  for (const auto phase : {v1::AttemptReport::TRAINING, v1::AttemptReport::FINISHED,
                           v1::AttemptReport::FAILED, v1::AttemptReport::STOPPED}) {
    *alpha.Reports(first, phase).mutable_result() = Result();
    EXPECT_EQ(Named(Call(alpha), job), nullptr);
    EXPECT_EQ(State(job), "queued");
  }
  EXPECT_EQ(state().counters.stale_reports, 4);
}

TEST_F(LeaseTest, AnotherWorkersAttemptCannotBeSpokenFor) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha"), thief("thief");
  const v1::Assignment assignment = Claim(alpha);
  *thief.Reports(assignment, v1::AttemptReport::FINISHED).mutable_result() = Result();
  EXPECT_EQ(Named(Call(thief), job), nullptr);
  thief.Fails(assignment, v1::Failure::USER, "nonsense");
  Call(thief);
  EXPECT_EQ(State(job), "running");
  EXPECT_EQ(Get(job).worker(), "alpha");
}

TEST_F(LeaseTest, AttemptsOfTheFutureAreStale) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha");
  Claim(alpha);
  *alpha.Reports(job, 2, v1::AttemptReport::FINISHED).mutable_result() = Result();
  *alpha.Reports(99, 1, v1::AttemptReport::FINISHED).mutable_result() = Result();
  *alpha.Reports(-1, -1, v1::AttemptReport::FINISHED).mutable_result() = Result();
  Call(alpha);
  EXPECT_EQ(state().counters.stale_reports, 3);
  EXPECT_EQ(State(job), "running");
}

TEST_F(LeaseTest, RestartOfTheSchedulerGivesEveryLeaseItsWholeLength) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha");
  const v1::Assignment assignment = Claim(alpha);
  Pass(Almost());
  // Another boot: the monotonic clock starts near zero, the wall clock goes on.
  now_.since_boot = Milliseconds(5000);
  now_.wall += std::chrono::hours(1);
  Restart();
  Pass(Almost());
  EXPECT_EQ(State(job), "running");
  *alpha.Reports(assignment, v1::AttemptReport::FINISHED).mutable_result() = Result();
  EXPECT_EQ(Named(Call(alpha), job)->desired(), v1::Assignment::PUBLISHED);
  EXPECT_EQ(State(job), "succeeded");
  EXPECT_EQ(Versions().size(), 1u);
}

TEST_F(LeaseTest, RestartedSchedulerStillLosesSilentWorkers) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha");
  Claim(alpha);
  Restart();
  Pass(config_.lease);
  EXPECT_EQ(State(job), "queued");
}

TEST_F(LeaseTest, WallClockJumpsEndNoLease) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha");
  alpha.Reports(Claim(alpha));
  now_.wall += std::chrono::hours(1000);
  Pass(Milliseconds(1));
  EXPECT_EQ(State(job), "running");
  now_.wall -= std::chrono::hours(2000);
  Pass(Milliseconds(1));
  EXPECT_EQ(State(job), "running");
}

TEST_F(LeaseTest, RestartedWorkerThatLostItsAttemptGivesItUpAtOnce) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha");
  alpha.Reports(Claim(alpha));
  Call(alpha);
  TestWorker again("alpha", {kTiny}, "second");
  EXPECT_EQ(Call(again).assignments_size(), 0);
  EXPECT_EQ(State(job), "queued");
  EXPECT_EQ(Claim(again).attempt(), 2);
}

TEST_F(LeaseTest, RestartedWorkerThatStillHasItGoesOn) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha");
  const v1::Assignment assignment = Claim(alpha);
  TestWorker again("alpha", {kTiny}, "second");
  again.Reports(assignment);
  EXPECT_EQ(Named(Call(again), job)->desired(), v1::Assignment::RUN);
  Restart();
  *again.Reports(assignment, v1::AttemptReport::FINISHED).mutable_result() = Result();
  EXPECT_EQ(Named(Call(again), job)->desired(), v1::Assignment::PUBLISHED);
  EXPECT_EQ(Get(job).attempt(), 1);
}

TEST_F(LeaseTest, OfTwoWorkersWithOneNameTheLaterCounts) {
  const int64_t job = SubmitOne("law");
  TestWorker older("alpha"), newer("alpha", {kTiny}, "second");
  const v1::Assignment assignment = Claim(older);
  older.Reports(assignment);
  Call(older);
  newer.Says(1);
  EXPECT_EQ(Named(Call(newer), job)->attempt(), 2) << "the older one's attempt is lost";
  *older.Reports(assignment, v1::AttemptReport::FINISHED).mutable_result() = Result();
  const v1::SynchronizeResponse response = Call(older);
  EXPECT_TRUE(response.replaced());
  EXPECT_EQ(response.assignments_size(), 0);
  EXPECT_EQ(State(job), "running");
  Restart();
  EXPECT_TRUE(Call(older).replaced()) << "for good";
  EXPECT_FALSE(Call(newer).replaced());
}

TEST_F(LeaseTest, OvertakenCallIsRefused) {
  SubmitOne("law");
  TestWorker alpha("alpha");
  alpha.request.set_sequence(2);
  Call(alpha);
  alpha.request.set_sequence(1);
  alpha.Says(1);
  EXPECT_EQ(TryCall(alpha).status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(State(1), "queued");
  alpha.request.set_sequence(2);
  EXPECT_TRUE(TryCall(alpha).ok()) << "the same call again is fine";
}

TEST_F(LeaseTest, OldAttemptBesideTheNewOneOfAJobDoesNotHideIt) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha");
  alpha.Reports(Claim(alpha));
  Call(alpha);
  Pass(config_.lease);
  const v1::Assignment second = Claim(alpha);
  ASSERT_EQ(second.attempt(), 2);
  alpha.Reports(second).mutable_progress()->set_step(3);
  for (int i = 0; i < 3; ++i) {
    const v1::SynchronizeResponse response = Call(alpha);
    ASSERT_EQ(response.assignments_size(), 1);
    EXPECT_EQ(response.assignments(0).attempt(), 2);
    Pass(Almost());
  }
  EXPECT_EQ(Get(job).step(), 3);
}

TEST_F(LeaseTest, LongMessageIsCutBetweenCharacters) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha");
  std::string message = "x";
  for (int i = 0; i < 20000; ++i) message += "ж";
  alpha.Fails(Claim(alpha), v1::Failure::DATA, message);
  Call(alpha);
  v1::Job copy;
  EXPECT_TRUE(copy.ParseFromString(Get(job).SerializeAsString())) << "proto3 wants whole UTF-8";
  EXPECT_LT(copy.reason().size(), 17000u);
}

TEST_F(LeaseTest, LossStaysWhereATrainerGoesOnAtTheLastStep) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha");
  v1::Progress& progress = *alpha.Reports(Claim(alpha)).mutable_progress();
  progress.set_step(9);
  progress.set_steps(9);
  progress.set_loss(2.5);
  progress.set_tokens_per_second(1e308);
  Call(alpha);
  progress.set_loss(std::numeric_limits<double>::quiet_NaN());
  Call(alpha);
  EXPECT_EQ(Get(job).loss(), 2.5);
  EXPECT_LE(Get(job).tokens_per_second(), 1e9) << "it would widen every table";
}

TEST_F(LeaseTest, ValidationLossIsKnownOnceItIsMeasuredAndStaysAfterTheEnd) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha");
  const v1::Assignment assignment = Claim(alpha);
  v1::Progress& progress = *alpha.Reports(assignment).mutable_progress();
  progress.set_step(9);
  progress.set_steps(9);
  progress.set_loss(2.5);
  Call(alpha);
  EXPECT_FALSE(Get(job).has_eval_loss());
  progress.set_eval_loss(1.75);
  Call(alpha);
  EXPECT_EQ(Get(job).eval_loss(), 1.75);
  progress.set_eval_loss(std::numeric_limits<double>::infinity());
  Call(alpha);
  EXPECT_EQ(Get(job).eval_loss(), 1.75);
  alpha.Fails(assignment, v1::Failure::DATA, "the gate was not passed");
  Call(alpha);
  EXPECT_EQ(Get(job).state(), "failed");
  EXPECT_EQ(Get(job).loss(), 2.5);
  EXPECT_EQ(Get(job).eval_loss(), 1.75);
}

TEST_F(LeaseTest, SilentWorkerIsLostAfterALease) {
  TestWorker alpha("alpha");
  Call(alpha);
  Pass(config_.lease);
  EXPECT_EQ(core_->ListWorkers(now_).workers(0).state(), "up");
  Pass(Milliseconds(1));
  EXPECT_EQ(core_->ListWorkers(now_).workers(0).state(), "lost");
  Restart();
  EXPECT_EQ(core_->ListWorkers(now_).workers(0).state(), "awaited") << "it had no time to call";
  Pass(config_.lease + Milliseconds(1));
  EXPECT_EQ(core_->ListWorkers(now_).workers(0).state(), "lost");
}

TEST_F(LeaseTest, PinsOfTheFirstAttemptComeBack) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha"), beta("beta");
  const v1::Assignment first = Claim(alpha);
  EXPECT_EQ(first.pinned_json(), "");
  for (const char* nothing : {"{}", "[1]", "no json"}) {
    alpha.Reports(first).set_pinned_json(nothing);
    Call(alpha);
  }
  alpha.Reports(first).set_pinned_json("{\"threads\": 2}");
  Call(alpha);
  Pass(config_.lease);
  const v1::Assignment second = Claim(beta);
  EXPECT_EQ(second.pinned_json(), "{\"threads\": 2}");
  beta.Reports(second).set_pinned_json("{\"threads\": 4}");
  Call(beta);
  Pass(config_.lease);
  EXPECT_EQ(Claim(alpha).pinned_json(), "{\"threads\": 2}") << "the first pin stays";
  EXPECT_EQ(Get(job).attempt(), 3);
}

TEST_F(LeaseTest, AStepDownIsAnEventOnceAndPinnedForLaterAttempts) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha"), beta("beta");
  const v1::Assignment first = Claim(alpha);
  alpha.Reports(first).set_pinned_json("{\"threads\": 2}");
  Call(alpha);
  alpha.Reports(first).set_pinned_json("{\"rung\": 1, \"threads\": 2}");
  alpha.Reports(first).set_stepped_down("each micro-batch goes through in 2 parts");
  Call(alpha);
  Call(alpha);
  v1::ListEventsRequest request;
  request.set_job(job);
  const auto events = core_->ListEvents(now_, request);
  ASSERT_TRUE(events.ok()) << events.status();
  int told = 0;
  for (const v1::Event& event : events->events()) {
    if (event.kind() != "stepped_down") continue;
    ++told;
    EXPECT_EQ(event.actor(), "alpha");
    EXPECT_EQ(event.message(), "each micro-batch goes through in 2 parts");
  }
  EXPECT_EQ(told, 1);
  Pass(config_.lease);
  EXPECT_EQ(Claim(beta).pinned_json(), "{\"rung\": 1, \"threads\": 2}");
}

TEST_F(LeaseTest, BackOffHoldsAJobBackAndKeepsItsPlace) {
  const int64_t job = SubmitOne("first");
  const int64_t other = SubmitOne("second");
  TestWorker alpha("alpha");
  alpha.Fails(Claim(alpha), v1::Failure::INFRASTRUCTURE, "trainer died of signal 9");
  Call(alpha);
  alpha.Forgets();
  EXPECT_EQ(State(job), "queued");
  EXPECT_THAT(Get(job).reason(), HasSubstr("trainer died of signal 9"));
  EXPECT_EQ(Claim(alpha).job(), other);
  const int64_t third = SubmitOne("third");
  Pass(config_.back_off);
  alpha.Reports(other, 1);
  EXPECT_EQ(Claim(alpha).job(), job) << "before the third, in its old place";
  (void)third;
}

TEST_F(LeaseTest, BackOffSurvivesARestartAndAClockSetBack) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha");
  alpha.Fails(Claim(alpha), v1::Failure::INFRASTRUCTURE, "disk full");
  Call(alpha);
  alpha.Forgets();
  Restart();
  EXPECT_EQ(Claim(alpha).job(), 0);
  now_.wall -= std::chrono::hours(24);
  Restart();
  EXPECT_EQ(Claim(alpha).job(), job);
}

TEST_F(LeaseTest, LostAnswerOfAFailureIsNoStaleReport) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha");
  alpha.Fails(Claim(alpha), v1::Failure::DATA, "row 3 has no target");
  Call(alpha);
  EXPECT_EQ(Named(Call(alpha), job), nullptr);
  EXPECT_EQ(state().counters.stale_reports, 0);
  EXPECT_EQ(State(job), "failed");
  EXPECT_EQ(Get(job).reason(), "row 3 has no target");
}

TEST_F(LeaseTest, WorkerThatEndsGivesItsJobBack) {
  const int64_t job = SubmitOne("law");
  TestWorker alpha("alpha");
  alpha.Reports(Claim(alpha), v1::AttemptReport::STOPPED);
  Call(alpha);
  EXPECT_EQ(State(job), "queued");
  EXPECT_EQ(Get(job).failures(), 0);
}

}  // namespace
}  // namespace mozgach
