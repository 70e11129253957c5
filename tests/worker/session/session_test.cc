// A job's life in the session: given, fetched, trained, uploaded, published.
#include <type_traits>

#include "tests/worker/session/session_fixture.h"

namespace mozgach {
namespace {

using SessionTest = SessionFixture;

TEST_F(SessionTest, FirstCallIntroducesTheWorkerAndAsksForNothingBeforeATrainerIsReady) {
  EXPECT_TRUE(Take<StartTrainer>().has_value());
  const auto call = TakeCall();
  ASSERT_TRUE(call.has_value());
  EXPECT_EQ(call->request.worker(), "host");
  EXPECT_EQ(call->request.incarnation(), "one");
  EXPECT_EQ(call->request.bases(0).name(), "mozgach/tiny");
  EXPECT_EQ(call->request.free_slots(), 0);
  EXPECT_EQ(call->request.sequence(), 1);
}

TEST_F(SessionTest, ReadyTrainerAsksForWorkAtOnceAndThenHoldsACall) {
  Answer({});
  TrainerUp();
  const auto news = TakeCall();
  ASSERT_TRUE(news.has_value());
  EXPECT_EQ(news->request.free_slots(), 1);
  EXPECT_EQ(news->request.wait_ms(), 0);
  EXPECT_EQ(news->request.devices(0).name(), "cpu");
  Answer({});
  Pass(Milliseconds(20));
  const auto held = TakeCall();
  ASSERT_TRUE(held.has_value());
  EXPECT_EQ(held->request.wait_ms(), 10'000);
}

TEST_F(SessionTest, JobGoesFromItsDataThroughTheTrainerToThePublishedAdapter) {
  Answer({});
  TrainerUp();
  Answer({Whole(7)});
  ASSERT_TRUE(Take<FetchDatasets>().has_value());
  EXPECT_FALSE(Take<SendTraining>().has_value()) << "its data is not here yet";

  session_->DatasetsFetched({7, 1}, DatasetPaths{.train = {"/d"}});
  Poll();
  const auto training = Take<SendTraining>();
  ASSERT_TRUE(training.has_value());
  EXPECT_THAT(training->base_dir, ::testing::EndsWith("mozgach/tiny"));

  Train(7, 3, 1000);
  Answer({Named(7)});
  Pass(Milliseconds(600));
  const auto progress = TakeCall();
  ASSERT_TRUE(progress.has_value());
  EXPECT_EQ(Reported(*progress, 7)->phase(), v1::AttemptReport::TRAINING);
  EXPECT_EQ(Reported(*progress, 7)->progress().step(), 3);

  Say(TrainerDone{.id = {7, 1}, .metrics_json = "{\"adapter\":{}}", .train_rows = 5});
  ASSERT_TRUE(Take<UploadAdapter>().has_value());
  v1::File file;
  file.set_path("adapter_model.safetensors");
  session_->Uploaded({7, 1}, std::vector{file});
  Poll();
  Answer({Named(7)});
  const auto finished = TakeCall();
  ASSERT_TRUE(finished.has_value());
  const auto report = Reported(*finished, 7);
  EXPECT_EQ(report->phase(), v1::AttemptReport::FINISHED);
  EXPECT_EQ(report->result().files(0).path(), "adapter_model.safetensors");
  EXPECT_EQ(report->result().train_rows(), 5);

  Answer({Named(7, 1, v1::Assignment::PUBLISHED)});
  const auto forgotten = Take<ForgetAttempt>();
  ASSERT_TRUE(forgotten.has_value());
  EXPECT_TRUE(forgotten->job_over);
  EXPECT_TRUE(session_->attempts().empty());
}

TEST_F(SessionTest, DeviceAsksForTheNextJobWhileTheAdapterUploads) {
  Answer({});
  TrainerUp();
  GiveToTrainer(1);
  Train(1, 1, 1000);
  Answer({Named(1)});
  EXPECT_EQ(TakeCall().value_or(MakeCall()).request.free_slots(), 0);
  Say(TrainerDone{.id = {1, 1}});
  Answer({Named(1)});
  const auto call = TakeCall();
  ASSERT_TRUE(call.has_value());
  EXPECT_EQ(call->request.free_slots(), 1);
  EXPECT_EQ(Reported(*call, 1)->phase(), v1::AttemptReport::UPLOADING);
}

TEST_F(SessionTest, NextJobIsInTheTrainerBeforeThePresentOneIsDone) {
  Answer({});
  TrainerUp();
  GiveToTrainer(1);
  Train(1, 10, 1000);
  Settle({Named(1)});
  Pass(Milliseconds(1'000));
  EXPECT_EQ(TakeCall()->request.free_slots(), 0) << "99 s are left";
  Settle({Named(1)});
  now_ += Milliseconds(1000);
  Say(TrainerStep{.id = {1, 1}, .step = 990, .steps = 1000});
  const auto call = TakeCall();
  ASSERT_TRUE(call.has_value()) << "asking for work is urgent";
  EXPECT_EQ(call->request.free_slots(), 1);

  Answer({Named(1), Whole(2)});
  session_->DatasetsFetched({2, 1}, DatasetPaths{});
  Poll();
  Take<SendTraining>();
  EXPECT_EQ(Take<SendTraining>()->id.job, 2);
  Answer({Named(1), Named(2)});
  Pass(Milliseconds(1000));
  EXPECT_EQ(TakeCall()->request.free_slots(), 0) << "one ahead is enough";
}

TEST_F(SessionTest, CancelledWhileTrainingIsReportedStoppedOnceTheTrainerHasLetGo) {
  Answer({});
  TrainerUp();
  GiveToTrainer(1);
  Train(1, 1, 1000);
  Settle({Named(1, 1, v1::Assignment::STOP)});
  ASSERT_TRUE(Take<CancelTraining>().has_value());
  EXPECT_EQ(attempt(1).state, AttemptState::kStopping);
  EXPECT_FALSE(Take<CancelTraining>().has_value()) << "once is enough";
  Say(TrainerCancelled{{1, 1}});
  const auto call = TakeCall();
  ASSERT_TRUE(call.has_value());
  EXPECT_EQ(Reported(*call, 1)->phase(), v1::AttemptReport::STOPPED);
  Answer({});
  EXPECT_TRUE(Take<ForgetAttempt>()->job_over);
  EXPECT_TRUE(session_->attempts().empty());
}

TEST_F(SessionTest, CancelledWhileFetchingNeverReachesTheTrainer) {
  Answer({});
  TrainerUp();
  Answer({Whole(1)});
  Answer({Named(1, 1, v1::Assignment::STOP)});
  EXPECT_TRUE(Take<AbortTransfers>().has_value());
  session_->DatasetsFetched({1, 1}, DatasetPaths{});
  Poll();
  EXPECT_FALSE(Take<SendTraining>().has_value());
  EXPECT_EQ(attempt(1).ReportedPhase(), v1::AttemptReport::STOPPED);
}

TEST_F(SessionTest, BaseThatIsNotHereFailsTheAttemptAndIsLookedForAgain) {
  Answer({});
  TrainerUp();
  v1::Assignment assignment = Whole(1);
  assignment.set_spec_json(R"({"base": "Qwen/Qwen2.5-3B"})");
  Answer({assignment});
  EXPECT_TRUE(Take<RescanBases>().has_value());
  const auto report = Reported(*TakeCall(), 1);
  EXPECT_EQ(report->phase(), v1::AttemptReport::FAILED);
  EXPECT_EQ(report->failure().class_(), v1::Failure::INFRASTRUCTURE);
  EXPECT_THAT(report->failure().message(), ::testing::HasSubstr("Qwen/Qwen2.5-3B"));
  Answer({});
  EXPECT_TRUE(session_->attempts().empty());
}

TEST_F(SessionTest, SpecThatIsNoSpecFailsTheAttempt) {
  Answer({});
  TrainerUp();
  for (const char* spec : {"not json", "[]", "{}", R"({"base": 7})"}) {
    v1::Assignment assignment = Whole(1);
    assignment.set_spec_json(spec);
    Answer({assignment});
    EXPECT_EQ(attempt(1).failure.class_(), v1::Failure::USER) << spec;
    Answer({});
  }
}

TEST_F(SessionTest, MissingBlobsAreUploadedAgain) {
  Answer({});
  TrainerUp();
  GiveToTrainer(1);
  Say(TrainerDone{.id = {1, 1}});
  EXPECT_TRUE(Take<UploadAdapter>().has_value());
  session_->Uploaded({1, 1}, std::vector<v1::File>(2));
  Poll();
  Answer({Named(1, 1, v1::Assignment::UPLOAD_AGAIN)});
  EXPECT_TRUE(Take<UploadAdapter>().has_value());
  EXPECT_EQ(attempt(1).ReportedPhase(), v1::AttemptReport::UPLOADING);
}

TEST_F(SessionTest, FullDiskFailsTheAttemptAndTheWorkerGoesOn) {
  Answer({});
  TrainerUp();
  Answer({Whole(1)});
  session_->DatasetsFetched({1, 1}, absl::ResourceExhaustedError("no space left"));
  Poll();
  Answer({Named(1)});
  const auto report = Reported(*TakeCall(), 1);
  EXPECT_EQ(report->failure().class_(), v1::Failure::INFRASTRUCTURE);
  EXPECT_THAT(report->failure().message(), ::testing::HasSubstr("no space left"));
  Answer({Whole(2)});
  EXPECT_TRUE(Take<FetchDatasets>().has_value());
}

TEST_F(SessionTest, DrainingWorkerFinishesWhatRunsAndAsksForNothing) {
  Answer({});
  TrainerUp();
  GiveToTrainer(1);
  TakeCall();
  v1::SynchronizeResponse response;
  *response.add_assignments() = Named(1);
  response.set_lease_ms(30'000);
  response.set_drain(true);
  session_->Answered(call_, response, now_);
  Say(TrainerDone{.id = {1, 1}});
  const auto call = TakeCall();
  ASSERT_TRUE(call.has_value());
  EXPECT_EQ(call->request.free_slots(), 0);
  EXPECT_TRUE(call->request.draining());
  EXPECT_EQ(attempt(1).state, AttemptState::kUploading);
}

TEST_F(SessionTest, ToldToEndItLetsTheTrainerSaveReportsStoppedAndIsOver) {
  Answer({});
  TrainerUp();
  GiveToTrainer(1);
  Train(1, 1, 1000);
  session_->Stop(now_);
  Poll();
  EXPECT_TRUE(Take<EndTrainer>().has_value());
  EXPECT_FALSE(Take<CancelTraining>().has_value());
  EXPECT_FALSE(session_->Over(now_));
  session_->TrainerExited(0, "exited with code 0", now_);
  Poll();
  Answer({Named(1)});
  EXPECT_EQ(Reported(*TakeCall(), 1)->phase(), v1::AttemptReport::STOPPED);
  Answer({});
  EXPECT_TRUE(session_->Over(now_));
  EXPECT_FALSE(Take<ForgetAttempt>()->job_over) << "its checkpoints are for the next attempt";
}

TEST_F(SessionTest, EndIsBoundedWhenNobodyAnswers) {
  Answer({});
  TrainerUp();
  GiveToTrainer(1);
  session_->Stop(now_);
  Poll();
  Pass(Milliseconds(5'000));
  EXPECT_TRUE(session_->Over(now_));
}

TEST_F(SessionTest, WorkerWhoseNameWasTakenStopsEverythingAndReportsNothing) {
  Answer({});
  TrainerUp();
  GiveToTrainer(1);
  TakeCall();
  v1::SynchronizeResponse response;
  response.set_replaced(true);
  session_->Answered(call_, response, now_);
  Poll();
  EXPECT_TRUE(session_->replaced());
  EXPECT_TRUE(Take<EndTrainer>().has_value());
  session_->TrainerExited(0, "exited with code 0", now_);
  Poll();
  EXPECT_TRUE(session_->Over(now_));
}

TEST_F(SessionTest, SameSeedAndInputsGiveTheSameCalls) {
  const auto life = [&] {
    now_ = Milliseconds(1'000);
    Begin(SessionOptions{.seed = 5});
    std::string story;
    for (int i = 0; i < 20; ++i) {
      FailCall();
      Pass(Milliseconds(3'000));
      story += std::to_string(session_->NextDue(now_).count()) + " ";
    }
    return story;
  };
  const std::string first = life();
  EXPECT_EQ(first, life());
}

}  // namespace
}  // namespace mozgach
