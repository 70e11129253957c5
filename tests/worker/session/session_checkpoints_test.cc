// Checkpoints are handed over: to the scheduler while a job trains, from it before it goes on, and
// before it ends where it is handed back.
#include "tests/worker/session/session_fixture.h"

namespace mozgach {
namespace {

class SessionCheckpointsTest : public SessionFixture {
 protected:
  SessionCheckpointsTest() {
    Answer({});
    TrainerUp();
  }

  static v1::Checkpoint At(int64_t step) {
    v1::Checkpoint checkpoint;
    checkpoint.set_step(step);
    return checkpoint;
  }
  void Uploaded(int64_t step) {
    session_->CheckpointUploaded({7, 1}, At(step));
    Poll();
  }
  v1::AttemptReport Report() { return *Reported(*TakeCall(), 7); }
};

TEST_F(SessionCheckpointsTest, WhatATrainerLeavesIsUploadedOneAtATimeTheNewestNext) {
  GiveToTrainer(7);
  Train(7, 1, 100);
  Say(TrainerCheckpoint{{7, 1}, 10});
  EXPECT_EQ(Take<UploadHandover>()->step, 10);
  Say(TrainerCheckpoint{{7, 1}, 20});
  Say(TrainerCheckpoint{{7, 1}, 30});
  EXPECT_FALSE(Take<UploadHandover>().has_value()) << "one is on its way";
  Settle({Named(7)});
  Uploaded(10);
  EXPECT_EQ(Take<UploadHandover>()->step, 30);
  EXPECT_EQ(Report().checkpoint().step(), 10);
}

TEST_F(SessionCheckpointsTest, OneThatCannotBeUploadedDoesNotStopTheNext) {
  GiveToTrainer(7);
  Train(7, 1, 100);
  Say(TrainerCheckpoint{{7, 1}, 10});
  Take<UploadHandover>();
  session_->CheckpointUploaded({7, 1}, absl::ResourceExhaustedError("the disk is full"));
  Poll();
  EXPECT_FALSE(Take<UploadHandover>().has_value()) << "not the same again at once";
  Say(TrainerCheckpoint{{7, 1}, 20});
  EXPECT_EQ(Take<UploadHandover>()->step, 20);
}

TEST_F(SessionCheckpointsTest, AfterTheLastStepTheAdapterItselfFollows) {
  GiveToTrainer(7);
  Train(7, 100, 100);
  Say(TrainerCheckpoint{{7, 1}, 100});
  EXPECT_FALSE(Take<UploadHandover>().has_value());
}

TEST_F(SessionCheckpointsTest, AJobGoesOnFromTheCheckpointOfAnotherWorker) {
  v1::Assignment assignment = Whole(7);
  *assignment.mutable_checkpoint() = At(40);
  Answer({assignment});
  EXPECT_EQ(Take<FetchHandover>()->checkpoint.step(), 40);
  session_->DatasetsFetched({7, 1}, DatasetPaths{.train = {"/data"}});
  Poll();
  EXPECT_FALSE(Take<SendTraining>().has_value()) << "its checkpoint is on its way";
  session_->CheckpointFetched({7, 1}, absl::OkStatus());
  Poll();
  EXPECT_TRUE(Take<SendTraining>().has_value());
}

TEST_F(SessionCheckpointsTest, OneThatIsGoneIsGoneWithout) {
  v1::Assignment assignment = Whole(7);
  *assignment.mutable_checkpoint() = At(40);
  Answer({assignment});
  session_->DatasetsFetched({7, 1}, DatasetPaths{.train = {"/data"}});
  session_->CheckpointFetched({7, 1}, absl::NotFoundError("there is no such blob"));
  Poll();
  EXPECT_TRUE(Take<SendTraining>().has_value());
}

TEST_F(SessionCheckpointsTest, HandedBackItEndsOnceItsCheckpointIsWithTheScheduler) {
  GiveToTrainer(7);
  Train(7, 15, 100);
  Settle({Named(7, 1, v1::Assignment::HAND_BACK)});
  const auto cancel = Take<CancelTraining>();
  ASSERT_TRUE(cancel.has_value());
  EXPECT_TRUE(cancel->save);
  Say(TrainerCheckpoint{{7, 1}, 15});
  EXPECT_EQ(Take<UploadHandover>()->step, 15);
  Say(TrainerCancelled{{7, 1}});
  const auto call = TakeCall();
  EXPECT_NE(Reported(*call, 7)->phase(), v1::AttemptReport::STOPPED);
  EXPECT_EQ(call->request.free_slots(), 1) << "its trainer is free meanwhile";
  Answer({Named(7, 1, v1::Assignment::HAND_BACK)});
  Uploaded(15);
  const v1::AttemptReport report = Report();
  EXPECT_EQ(report.phase(), v1::AttemptReport::STOPPED);
  EXPECT_EQ(report.checkpoint().step(), 15);
}

TEST_F(SessionCheckpointsTest, HandedBackBeforeTheFirstStepItEndsAtOnce) {
  GiveToTrainer(7);
  Settle({Named(7, 1, v1::Assignment::HAND_BACK)});
  Say(TrainerCancelled{{7, 1}});
  EXPECT_EQ(Report().phase(), v1::AttemptReport::STOPPED);
}

TEST_F(SessionCheckpointsTest, CancelledWhileItIsHandedBackNobodyWaitsForItsCheckpoint) {
  GiveToTrainer(7);
  Train(7, 15, 100);
  Settle({Named(7, 1, v1::Assignment::HAND_BACK)});
  Say(TrainerCheckpoint{{7, 1}, 15});
  Say(TrainerCancelled{{7, 1}});
  Settle({Named(7, 1, v1::Assignment::STOP)});
  EXPECT_TRUE(Take<AbortTransfers>().has_value());
  EXPECT_EQ(session_->attempts().at({7, 1}).state, AttemptState::kStopped);
}

TEST_F(SessionCheckpointsTest, AWorkerThatEndsTakesItsCheckpointToTheSchedulerFirst) {
  GiveToTrainer(7);
  Train(7, 15, 100);
  session_->Stop(now_);
  Poll();
  EXPECT_TRUE(Take<EndTrainer>().has_value());
  Say(TrainerCheckpoint{{7, 1}, 15});
  EXPECT_EQ(Take<UploadHandover>()->step, 15);
  session_->TrainerExited(0, "exited", now_);
  Poll();
  now_ += Milliseconds(6'000);
  EXPECT_FALSE(session_->Over(now_));
  Uploaded(15);
  Settle({Named(7)});
  Answer({});
  EXPECT_TRUE(session_->Over(now_));
}

}  // namespace
}  // namespace mozgach
