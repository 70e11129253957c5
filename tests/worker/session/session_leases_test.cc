// The session and a scheduler that is away, forgets, or gives the same job again.
#include "tests/worker/session/session_fixture.h"

namespace mozgach {
namespace {

using SessionLeasesTest = SessionFixture;

TEST_F(SessionLeasesTest, TrainingGoesOnWhileTheSchedulerIsAwayForAnHour) {
  Answer({});
  TrainerUp();
  GiveToTrainer(1);
  Train(1, 1, 1000);
  const Milliseconds end = now_ + std::chrono::hours(1);
  int tries = 0;
  while (now_ < end) {
    if (TakeCall().has_value()) {
      FailCall();
      ++tries;
    }
    Pass(Milliseconds(500));
  }
  EXPECT_EQ(attempt(1).state, AttemptState::kInTrainer);
  EXPECT_FALSE(Take<CancelTraining>().has_value());
  EXPECT_GT(tries, 3600 / 25);
  EXPECT_LT(tries, 3600 / 5) << "it backs off";

  Pass(Milliseconds(30'000));
  Answer({Named(1)});
  EXPECT_EQ(attempt(1).lease_ends - now_ <= kLease, true);
  EXPECT_EQ(attempt(1).state, AttemptState::kInTrainer);
}

TEST_F(SessionLeasesTest, AttemptThatTheSchedulerDoesNotNameIsStoppedAtOnceAndReportedNoMore) {
  Answer({});
  TrainerUp();
  GiveToTrainer(1);
  Train(1, 1, 1000);
  Answer({});
  EXPECT_TRUE(Take<CancelTraining>().has_value());
  const auto call = TakeCall();
  ASSERT_TRUE(call.has_value());
  EXPECT_EQ(call->request.attempts_size(), 0);
  EXPECT_EQ(call->request.free_slots(), 0) << "the trainer is still at it";
  Say(TrainerCancelled{{1, 1}});
  EXPECT_FALSE(Take<ForgetAttempt>()->job_over);
  Answer({});
  EXPECT_EQ(TakeCall()->request.free_slots(), 1);
}

TEST_F(SessionLeasesTest, AnswerToACallThatDidNotNameTheAttemptDoesNotStopIt) {
  Answer({});
  TrainerUp();
  Answer({});
  Pass(Milliseconds(50));  // a held call is open
  TakeCall();
  Answer({Whole(1)});
  // The next call names the attempt.  An answer that names it too changes nothing.
  EXPECT_EQ(TakeCall()->request.attempts_size(), 1);
  Answer({Named(1)});
  EXPECT_EQ(attempt(1).state, AttemptState::kFetching);
}

TEST_F(SessionLeasesTest, AnswersToCallsThatWereGivenUpMeanNothing) {
  Answer({});
  TrainerUp();
  Answer({});
  Pass(Milliseconds(50));
  const auto held = TakeCall();
  session_->BasesFound({});  // news: the held call is given up
  Poll();
  const auto news = TakeCall();
  ASSERT_TRUE(news.has_value());
  EXPECT_EQ(news->call.replaces, held->call.number);
  v1::SynchronizeResponse late;
  *late.add_assignments() = Whole(9);
  late.set_lease_ms(30'000);
  session_->Answered(held->call.number, late, now_);
  EXPECT_TRUE(session_->attempts().empty());
}

TEST_F(SessionLeasesTest, AttemptWhoseLeaseHasEndedStartsNothingUntilItIsRenewed) {
  Answer({});
  TrainerUp();
  Answer({Whole(1)});
  now_ += kLease + Milliseconds(1);
  session_->DatasetsFetched({1, 1}, DatasetPaths{});
  Poll();
  EXPECT_FALSE(Take<SendTraining>().has_value());
  // The call in flight was sent long ago: its answer renews from then.
  Answer({Named(1)});
  EXPECT_FALSE(Take<SendTraining>().has_value());
  Pass(Milliseconds(50));
  Answer({Named(1)});
  EXPECT_TRUE(Take<SendTraining>().has_value());
}

TEST_F(SessionLeasesTest, NextAttemptOfAJobWaitsUntilTheOldOneHasLeftTheTrainer) {
  Answer({});
  TrainerUp();
  GiveToTrainer(1, 1);
  Train(1, 1, 1000);
  Take<SendTraining>();
  Answer({Whole(1, 2)});
  EXPECT_TRUE(Take<CancelTraining>().has_value());
  session_->DatasetsFetched({1, 2}, DatasetPaths{});
  Poll();
  EXPECT_FALSE(Take<SendTraining>().has_value());
  Say(TrainerCancelled{{1, 1}});
  const auto training = Take<SendTraining>();
  ASSERT_TRUE(training.has_value());
  EXPECT_EQ(training->id.attempt, 2);
}

TEST_F(SessionLeasesTest, PinnedChoicesReachTheNextAttempt) {
  Answer({});
  TrainerUp();
  GiveToTrainer(1);
  Say(TrainerStarted{.id = {1, 1}, .steps = 5, .pinned_json = R"({"threads":2})"});
  Answer({Named(1)});
  EXPECT_EQ(Reported(*TakeCall(), 1)->pinned_json(), R"({"threads":2})");
  v1::Assignment again = Whole(2);
  again.set_pinned_json(R"({"threads":1})");
  Say(TrainerFailed{.id = AttemptId{1, 1}});
  Take<SendTraining>();
  Answer({again});
  session_->DatasetsFetched({2, 1}, DatasetPaths{});
  Poll();
  EXPECT_EQ(Take<SendTraining>()->pinned_json, R"({"threads":1})");
}

TEST_F(SessionLeasesTest, SchedulerRestoredFromABackupMeansAnotherAttemptByTheSameNumber) {
  Answer({});
  TrainerUp();
  GiveToTrainer(1);
  Take<SendTraining>();
  const MakeCall call = *TakeCall();
  EXPECT_EQ(call.request.scheduler_incarnation(), 0u);
  v1::SynchronizeResponse response;
  *response.add_assignments() = Whole(1);
  response.set_lease_ms(static_cast<uint64_t>(kLease.count()));
  response.set_scheduler_incarnation(7);
  session_->Answered(call.call.number, response, now_);
  Poll();
  EXPECT_TRUE(Take<CancelTraining>().has_value()) << "that of before";
  const MakeCall next = *TakeCall();
  EXPECT_EQ(next.request.scheduler_incarnation(), 7u);
  EXPECT_FALSE(Reported(next, 1).has_value());
}

TEST_F(SessionLeasesTest, AssignmentWithoutItsSpecIsNotStarted) {
  Answer({});
  TrainerUp();
  Answer({Named(3), Named(4, 1, v1::Assignment::PUBLISHED), Named(5, 1, v1::Assignment::STOP)});
  EXPECT_TRUE(session_->attempts().empty());
}

}  // namespace
}  // namespace mozgach
