// The session and trainers that die, hang, or talk nonsense.
#include "tests/worker/session/session_fixture.h"

namespace mozgach {
namespace {

using SessionTrainerTest = SessionFixture;
using ::testing::HasSubstr;

TEST_F(SessionTrainerTest, DeathFailsTheAttemptItWorkedOnAndStartsAnother) {
  Answer({});
  TrainerUp();
  GiveToTrainer(1);
  Train(1, 1, 1000);
  Take<StartTrainer>();
  session_->TrainerExited(0, "was killed by signal 9 (Killed)", now_);
  Poll();
  EXPECT_FALSE(Take<StartTrainer>().has_value()) << "not at once";
  EXPECT_EQ(attempt(1).state, AttemptState::kFailed);
  EXPECT_EQ(attempt(1).failure.class_(), v1::Failure::INFRASTRUCTURE);
  EXPECT_THAT(attempt(1).failure.message(), HasSubstr("signal 9"));
  Pass(Milliseconds(400));
  EXPECT_TRUE(Take<StartTrainer>().has_value());
  EXPECT_EQ(session_->trainer_restarts(), 1);
}

TEST_F(SessionTrainerTest, AKillForLackOfMemoryIsOfThatClassAndTheNextAttemptNeedsLess) {
  Answer({});
  TrainerUp();
  GiveToTrainer(1);
  Say(TrainerStarted{.id = {1, 1}, .steps = 5, .pinned_json = R"({"rung":2,"threads":2})"});
  session_->TrainerExited(0, "was killed by signal 9 (Killed)", now_, /*for_memory=*/true);
  Poll();
  EXPECT_EQ(attempt(1).failure.class_(), v1::Failure::OUT_OF_MEMORY);
  EXPECT_THAT(attempt(1).failure.message(), HasSubstr("memory"));
  const v1::AttemptReport report = ReportOf(attempt(1), "cpu");
  EXPECT_EQ(report.pinned_json(), R"({"rung":3,"threads":2})");
  EXPECT_THAT(report.stepped_down(), HasSubstr("memory"));
}

TEST_F(SessionTrainerTest, AStepDownKeepsItsPins) {
  Answer({});
  TrainerUp();
  GiveToTrainer(1);
  Say(TrainerStarted{.id = {1, 1}, .steps = 5, .pinned_json = R"({"threads":2})"});
  EXPECT_EQ(ReportOf(attempt(1), "cpu").stepped_down(), "");
  Say(TrainerSteppedDown{{1, 1}, "in 2 parts", R"({"rung":1,"threads":2})"});
  EXPECT_EQ(ReportOf(attempt(1), "cpu").pinned_json(), R"({"rung":1,"threads":2})");
  EXPECT_EQ(ReportOf(attempt(1), "cpu").stepped_down(), "in 2 parts");
}

TEST_F(SessionTrainerTest, AttemptsBehindTheOneThatRanWaitForTheNextTrainer) {
  Answer({});
  TrainerUp();
  GiveToTrainer(1);
  Train(1, 10, 11);
  Answer({Named(1), Whole(2)});
  session_->DatasetsFetched({2, 1}, DatasetPaths{});
  Poll();
  Take<SendTraining>();
  EXPECT_EQ(Take<SendTraining>()->id.job, 2);
  session_->TrainerExited(0, "was killed by signal 9 (Killed)", now_);
  Poll();
  EXPECT_EQ(attempt(1).state, AttemptState::kFailed);
  EXPECT_EQ(attempt(2).state, AttemptState::kWaiting);
  Pass(Milliseconds(400));
  TrainerUp();
  EXPECT_EQ(Take<SendTraining>()->id.job, 2);
}

TEST_F(SessionTrainerTest, WaitBetweenDeathsGrowsUntilAJobIsDone) {
  Milliseconds last{0};
  for (int deaths = 0; deaths < 12; ++deaths) {
    const Milliseconds died = now_;
    session_->TrainerExited(0, "exited with code 4", now_);
    Poll();
    while (!Take<StartTrainer>().has_value()) Pass(Milliseconds(50));
    last = now_ - died;
    TrainerUp();
  }
  EXPECT_GE(last, Milliseconds(15'000));
  EXPECT_LE(last, Milliseconds(46'000));
}

TEST_F(SessionTrainerTest, AttemptIsGivenBackWhenNoTrainerStarts) {
  Answer({});
  TrainerUp();
  Answer({Whole(1)});
  Take<StartTrainer>();
  session_->TrainerExited(0, "exited with code 1", now_);
  session_->DatasetsFetched({1, 1}, DatasetPaths{});
  for (int tries = 0; tries < 3; ++tries) {
    EXPECT_NE(attempt(1).state, AttemptState::kFailed);
    while (!Take<StartTrainer>().has_value()) Pass(Milliseconds(50));
    session_->TrainerExited(0, "exited with code 127", now_);
    Poll();
  }
  EXPECT_EQ(attempt(1).failure.class_(), v1::Failure::INFRASTRUCTURE);
  EXPECT_THAT(attempt(1).failure.message(), HasSubstr("exited with code 127"));
}

TEST_F(SessionTrainerTest, TrainerThatDoesNotHearTheCancelIsKilled) {
  Answer({});
  TrainerUp();
  GiveToTrainer(1);
  Train(1, 1, 1000);
  Answer({Named(1, 1, v1::Assignment::STOP)});
  Pass(Milliseconds(19'000));
  EXPECT_FALSE(Take<KillTrainer>().has_value());
  Pass(Milliseconds(2'000));
  EXPECT_TRUE(Take<KillTrainer>().has_value());
  Pass(Milliseconds(2'000));
  EXPECT_FALSE(Take<KillTrainer>().has_value()) << "once";
  session_->TrainerExited(0, "was killed", now_);
  Poll();
  EXPECT_EQ(attempt(1).ReportedPhase(), v1::AttemptReport::STOPPED);
}

TEST_F(SessionTrainerTest, TrainerThatIsNotReadyInTimeIsKilled) {
  Pass(Milliseconds(125'000));
  EXPECT_TRUE(Take<KillTrainer>().has_value());
}

TEST_F(SessionTrainerTest, TrainerThatHangsInTrainingIsKilledAndItsAttemptHasFailed) {
  Answer({});
  TrainerUp();
  GiveToTrainer(1);
  Train(1, 1, 1000);
  Pass(Milliseconds(1'790'000));
  EXPECT_FALSE(Take<KillTrainer>().has_value());
  Pass(Milliseconds(20'000));
  EXPECT_TRUE(Take<KillTrainer>().has_value());
  session_->TrainerExited(0, "was killed by signal 9", now_);
  Poll();
  EXPECT_EQ(attempt(1).failure.class_(), v1::Failure::INFRASTRUCTURE);
  EXPECT_THAT(attempt(1).failure.message(), HasSubstr("the trainer said nothing for 1810 s"));
  Answer({Named(1)});
  EXPECT_TRUE(Reported(*TakeCall(), 1).has_value());
}

TEST_F(SessionTrainerTest, HangIsNoLackOfMemoryWhateverTheSystemDidMeanwhile) {
  Answer({});
  TrainerUp();
  GiveToTrainer(1);
  Train(1, 1, 1000);
  Pass(Milliseconds(1'810'000));
  EXPECT_TRUE(Take<KillTrainer>().has_value());
  session_->TrainerExited(0, "was killed by signal 9", now_, /*for_memory=*/true);
  Poll();
  EXPECT_EQ(attempt(1).failure.class_(), v1::Failure::INFRASTRUCTURE);
  EXPECT_EQ(attempt(1).stepped_down, "");
}

TEST_F(SessionTrainerTest, TrainerThatStillSpeaksIsLeftAlone) {
  Answer({});
  TrainerUp();
  GiveToTrainer(1);
  Train(1, 1, 1000);
  for (int times = 0; times < 10; ++times) {
    Pass(Milliseconds(1'500'000));
    Say(TrainerAlive{{1, 1}});
  }
  EXPECT_FALSE(Take<KillTrainer>().has_value());
}

TEST_F(SessionTrainerTest, WordsOfOtherThreadsDoNotHideAHang) {
  Answer({});
  TrainerUp();
  GiveToTrainer(1);
  Train(1, 1, 1000);
  for (int times = 0; times < 4; ++times) {
    Pass(Milliseconds(460'000));
    Say(TrainerPrepared{{2, 1}, 1, 1, 1});
    Say(TrainerComplaint{"not a request"});
  }
  EXPECT_TRUE(Take<KillTrainer>().has_value());
}

TEST_F(SessionTrainerTest, SilenceIsMeasuredByTheTrainersOwnPace) {
  Answer({});
  TrainerUp();
  GiveToTrainer(1);
  Train(1, 1, 1000);
  Pass(Milliseconds(400'000));
  Say(TrainerStep{.id = {1, 1}, .step = 2, .steps = 1000, .loss = 1, .mean_loss = 1});
  Pass(Milliseconds(3'900'000));
  EXPECT_FALSE(Take<KillTrainer>().has_value()) << "ten of its longest silences take longer";
  Pass(Milliseconds(200'000));
  EXPECT_TRUE(Take<KillTrainer>().has_value());
}

TEST_F(SessionTrainerTest, TimeThatTheMachineSleptIsNoSilence) {
  Answer({});
  TrainerUp();
  GiveToTrainer(1);
  Train(1, 1, 1000);
  now_ += Milliseconds(36'000'000);
  Poll();
  Pass(Milliseconds(60'000));
  EXPECT_FALSE(Take<KillTrainer>().has_value());
}

TEST_F(SessionTrainerTest, FailureOfAJobKeepsItsClassAndTheNextJobRuns) {
  Answer({});
  TrainerUp();
  GiveToTrainer(1);
  v1::Failure failure;
  failure.set_class_(v1::Failure::DATA);
  failure.set_message("row 3 has no target");
  Say(TrainerFailed{AttemptId{1, 1}, failure});
  Answer({Named(1)});
  const auto call = TakeCall();
  EXPECT_EQ(Reported(*call, 1)->failure().class_(), v1::Failure::DATA);
  EXPECT_EQ(call->request.free_slots(), 1);
}

TEST_F(SessionTrainerTest, EventsOfAttemptsThatAreNotRunningChangeNothing) {
  Answer({});
  TrainerUp();
  Answer({Whole(1)});
  Say(TrainerStep{.id = {1, 1}, .step = 5});  // not sent yet
  Say(TrainerDone{.id = {1, 1}});
  Say(TrainerDone{.id = {99, 1}});
  Say(TrainerFailed{});
  EXPECT_EQ(attempt(1).state, AttemptState::kFetching);
  EXPECT_FALSE(Take<UploadAdapter>().has_value());
}

TEST_F(SessionTrainerTest, OneThatHoldsTooMuchIsEndedAndTheNextGoesOnWithWhatItHadBegun) {
  Answer({});
  TrainerUp();
  for (const int64_t job : {1, 2}) {
    GiveToTrainer(job);
    Train(job, 10, 10);
    if (job == 2) {  // the next one is in line already
      Answer({Named(2), Whole(3)});
      session_->DatasetsFetched({3, 1}, DatasetPaths{.train = {"/data"}});
      Poll();
    }
    Say(TrainerDone{.id = {job, 1}, .memory_bytes = static_cast<uint64_t>(job) << 30});
  }
  EXPECT_TRUE(Take<EndTrainer>().has_value());
  Say(TrainerPhase{{3, 1}, v1::AttemptReport::PREPARING, ""});
  EXPECT_EQ(TakeCall()->request.free_slots(), 0) << "the memory is not back yet";
  Say(TrainerCancelled{{3, 1}});
  session_->TrainerExited(0, "exited", now_);
  while (Take<SendTraining>().has_value()) {
  }
  Pass(Milliseconds(400));
  EXPECT_TRUE(Take<StartTrainer>().has_value());
  TrainerUp();
  EXPECT_EQ(Take<SendTraining>()->id.job, 3);
}

TEST_F(SessionTrainerTest, BaseLoadsAreCountedAcrossTrainers) {
  Answer({});
  TrainerUp();
  Say(TrainerBaseLoaded{.base = "mozgach/tiny", .base_loads = 1});
  Answer({});
  EXPECT_EQ(TakeCall()->request.devices(0).loaded_base(), "mozgach/tiny");
  session_->TrainerExited(0, "died", now_);
  Pass(Milliseconds(400));
  TrainerUp();
  Say(TrainerBaseLoaded{.base = "mozgach/tiny", .base_loads = 1});
  EXPECT_EQ(session_->base_loads(), 2);
}

TEST_F(SessionTrainerTest, ReportsTheRunningMeanAndTheValidationLoss) {
  Answer({});
  TrainerUp();
  GiveToTrainer(1);
  Say(TrainerStarted{.id = {1, 1}, .step = 4, .steps = 10, .mean_loss = 2.25});
  EXPECT_EQ(attempt(1).progress.loss(), 2.25) << "of the steps before the restart";
  Say(TrainerStep{
      .id = {1, 1}, .step = 5, .steps = 10, .loss = 2, .step_loss = 3, .mean_loss = 2.5});
  EXPECT_EQ(attempt(1).progress.loss(), 2.5);
  EXPECT_EQ(attempt(1).progress.step_loss(), 3);
  EXPECT_FALSE(attempt(1).progress.has_eval_loss());
  Say(TrainerEvaluation{{1, 1}, 5, R"({"adapter": {"eval_loss": 1.75}})"});
  EXPECT_EQ(attempt(1).progress.eval_loss(), 1.75);
  Say(TrainerDone{.id = {1, 1}, .metrics_json = R"({"adapter": {"eval_loss": 1.5}})"});
  EXPECT_EQ(attempt(1).progress.eval_loss(), 1.5);
}

TEST_F(SessionTrainerTest, EveryLoggedStepIsInTheLog) {
  Answer({});
  TrainerUp();
  GiveToTrainer(1);
  Train(1, 1, 1000);
  int lines = 0;
  while (Take<WriteLog>().has_value()) {
  }
  for (int64_t step = 2; step <= 50; ++step) {
    Say(TrainerStep{.id = {1, 1}, .step = step, .steps = 1000, .loss = 1, .mean_loss = 1});
  }
  while (const auto log = Take<WriteLog>()) lines += log->line.starts_with("step ") ? 1 : 0;
  EXPECT_EQ(lines, 49);
}

TEST_F(SessionTrainerTest, LossThatIsNoNumberIsNotReported) {
  Answer({});
  TrainerUp();
  GiveToTrainer(1);
  Train(1, 1, 10);
  Say(TrainerStep{
      .id = {1, 1}, .step = 2, .steps = 10, .loss = std::nan(""), .mean_loss = std::nan("")});
  EXPECT_EQ(attempt(1).progress.step(), 2);
  EXPECT_EQ(attempt(1).progress.loss(), 1.5);
}

TEST_F(SessionTrainerTest, WhatTheTrainerWritesGoesToTheLogOfTheJobItRuns) {
  Answer({});
  TrainerUp();
  GiveToTrainer(1);
  session_->TrainerWrote(0, "before it spoke of the job");
  Say(TrainerPhase{{1, 1}, v1::AttemptReport::PREPARING, ""});
  session_->TrainerWrote(0, "a warning");
  Poll();
  std::vector<std::string> lines;
  while (auto line = Take<WriteLog>()) lines.push_back(line->line);
  EXPECT_THAT(lines, ::testing::Contains("a warning"));
  EXPECT_THAT(lines, ::testing::Not(::testing::Contains("before it spoke of the job")));
}

TEST_F(SessionTrainerTest, TwoDevicesTakeTwoJobs) {
  Begin(SessionOptions{.devices = 2});
  Answer({});
  session_->TrainerSaid(0, TrainerReady{.device_name = "cuda:0"}, now_);
  session_->TrainerSaid(1, TrainerReady{.device_name = "cuda:1"}, now_);
  Poll();
  Answer({Whole(1), Whole(2)});
  EXPECT_NE(attempt(1).device, attempt(2).device);
  const auto call = TakeCall();
  EXPECT_EQ(call->request.devices_size(), 2);
  EXPECT_EQ(call->request.free_slots(), 0);
}

}  // namespace
}  // namespace mozgach
