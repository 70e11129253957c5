// A job goes on elsewhere: from the last checkpoint that was brought here, by a deadline, within a
// limit.
#include "scheduler/core/checkpoint_handover.h"

#include <gmock/gmock.h>

#include "common/digest.h"
#include "tests/scheduler/fleet.h"

namespace mozgach {
namespace {

using ::testing::HasSubstr;

class CheckpointHandoverTest : public Fleet {
 protected:
  // Both files are uploaded.
  v1::Checkpoint Checkpoint(int64_t step) {
    v1::Checkpoint checkpoint;
    checkpoint.set_step(step);
    for (const std::string name : {"checkpoint.json", "state.safetensors"}) {
      const std::string bytes = name + " at " + std::to_string(step);
      v1::File& file = *checkpoint.add_files();
      file.set_path(name);
      file.set_sha256(PutBlob(bytes));
      file.set_size(bytes.size());
    }
    return checkpoint;
  }
  bool AreHere(const v1::Checkpoint& checkpoint) {
    return std::all_of(checkpoint.files().begin(), checkpoint.files().end(),
                       [&](const auto& file) { return blobs_->Has(file.sha256()); });
  }
  v1::Worker Drain(const std::string& worker, std::optional<uint64_t> within_ms) {
    v1::DrainWorkerRequest request;
    request.set_worker(worker);
    if (within_ms.has_value()) request.set_within_ms(*within_ms);
    return *core_->Drain(now_, request);
  }
};

TEST_F(CheckpointHandoverTest, TheNextAttemptGetsTheNewestThatWasBrought) {
  SubmitOne("law");
  TestWorker alpha("alpha"), beta("beta");
  const v1::Assignment first = Claim(alpha);
  EXPECT_FALSE(first.has_checkpoint());
  const v1::Checkpoint old = Checkpoint(200), newest = Checkpoint(400);
  *alpha.Reports(first).mutable_checkpoint() = old;
  Call(alpha);
  *alpha.Reports(first).mutable_checkpoint() = newest;
  Call(alpha);
  EXPECT_FALSE(AreHere(old)) << "nobody needs it any more";
  Restart();
  Pass(config_.lease + Milliseconds(1));  // alpha dies for good
  const v1::Assignment second = Claim(beta);
  EXPECT_EQ(second.attempt(), 2);
  EXPECT_EQ(second.checkpoint().step(), 400);
  EXPECT_EQ(second.checkpoint().files(1).sha256(), newest.files(1).sha256());
}

TEST_F(CheckpointHandoverTest, IgnoresOlderAttemptsPartialFilesAndOtherNames) {
  SubmitOne("law");
  TestWorker alpha("alpha"), beta("beta");
  const v1::Assignment lost = Claim(alpha);
  Pass(config_.lease + Milliseconds(1));
  const v1::Assignment now = Claim(beta);
  *alpha.Reports(lost).mutable_checkpoint() = Checkpoint(900);
  Call(alpha);
  v1::Checkpoint missing = Checkpoint(300), elsewhere = Checkpoint(400), back = Checkpoint(500);
  missing.mutable_files(0)->set_sha256(Sha256Hex("not uploaded"));
  elsewhere.mutable_files(0)->set_path("../checkpoint.json");
  back.mutable_files(0)->set_size(1);
  for (const v1::Checkpoint& each : {missing, elsewhere, back}) {
    *beta.Reports(now).mutable_checkpoint() = each;
    Call(beta);
  }
  EXPECT_EQ(state().checkpoints.Find(now.job())->step(), 0);
}

TEST_F(CheckpointHandoverTest, AJobThatIsOverNeedsNone) {
  for (const bool succeeds : {true, false}) {
    SubmitOne(succeeds ? "law" : "history");
    TestWorker alpha(succeeds ? "alpha" : "beta");
    const v1::Assignment assignment = Claim(alpha);
    const v1::Checkpoint checkpoint = Checkpoint(succeeds ? 200 : 300);
    *alpha.Reports(assignment).mutable_checkpoint() = checkpoint;
    Call(alpha);
    EXPECT_TRUE(AreHere(checkpoint));
    if (succeeds) {
      *alpha.Reports(assignment, v1::AttemptReport::FINISHED).mutable_result() = Result();
    } else {
      alpha.Fails(assignment, v1::Failure::DATA, "the loss is not finite");
    }
    Call(alpha);
    EXPECT_EQ(State(assignment.job()), succeeds ? "succeeded" : "failed");
    EXPECT_EQ(state().checkpoints.Find(assignment.job())->step(), 0);
    EXPECT_FALSE(AreHere(checkpoint));
  }
}

TEST_F(CheckpointHandoverTest, ADrainWithADeadlineHandsBackWhatStillRuns) {
  SubmitOne("law");
  TestWorker alpha("alpha"), beta("beta");
  const v1::Assignment running = Claim(alpha);
  EXPECT_NE(Drain("alpha", 10'000).drain_by(), "");
  alpha.Reports(running);
  EXPECT_EQ(Named(Call(alpha), running.job())->desired(), v1::Assignment::RUN);
  Restart();  // the deadline is stored
  Pass(Milliseconds(10'000));
  core_->Enter(now_);
  EXPECT_TRUE(core_->TakeWakeups().workers.contains("alpha")) << "a held call is to be answered";
  EXPECT_EQ(Named(Call(alpha), running.job())->desired(), v1::Assignment::HAND_BACK);
  *alpha.Reports(running, v1::AttemptReport::STOPPED).mutable_checkpoint() = Checkpoint(70);
  Call(alpha);
  const v1::Job job = Get(running.job());
  EXPECT_EQ(job.state(), "queued");
  EXPECT_EQ(job.failures(), 0);
  EXPECT_EQ(Claim(beta).checkpoint().step(), 70);
}

TEST_F(CheckpointHandoverTest, ADrainWithoutOneLetsItEndInItsOwnTime) {
  SubmitOne("law");
  TestWorker alpha("alpha");
  const v1::Assignment running = Claim(alpha);
  EXPECT_EQ(Drain("alpha", std::nullopt).drain_by(), "");
  for (int hour = 0; hour < 30; ++hour) {
    Pass(config_.lease / 2);
    alpha.Reports(running);
    EXPECT_EQ(Named(Call(alpha), running.job())->desired(), v1::Assignment::RUN);
  }
}

TEST_F(CheckpointHandoverTest, AnAttemptThatRunsOverItsTimeLimitHasFailed) {
  v1::Submission law = Domain("law");
  law.set_spec_json(law.spec_json().substr(0, law.spec_json().rfind('}')) +
                    R"(,"time_limit":"1m"})");
  const int64_t job = Submit({law}).outcomes(0).job();
  TestWorker alpha("alpha");
  const v1::Assignment running = Claim(alpha);
  for (int minute = 0; minute < 4; ++minute) {
    alpha.Reports(running, v1::AttemptReport::PREPARING);
    Call(alpha);
    Pass(Milliseconds(15'000));
  }
  Restart();
  EXPECT_EQ(State(job), "running") << "it waits for the job before it";
  alpha.Reports(running);
  Call(alpha);
  for (const bool over : {false, false, false, true}) {
    Pass(Milliseconds(10'000));
    alpha.Reports(running);
    Call(alpha);
    Restart();  // the limit goes on from where it was
    Pass(Milliseconds(5'000));
    EXPECT_EQ(State(job), over ? "failed" : "running");
  }
  EXPECT_THAT(Get(job).reason(), HasSubstr("time_limit of 1m"));
  EXPECT_EQ(Named(Call(alpha), job), nullptr) << "the worker is to stop it";
}

TEST_F(CheckpointHandoverTest, ALimitThatIsRaisedHoldsForWhatRuns) {
  v1::Submission law = Domain("law");
  const std::string spec = law.spec_json().substr(0, law.spec_json().rfind('}'));
  law.set_spec_json(spec + R"(,"time_limit":"10s"})");
  const int64_t job = Submit({law}).outcomes(0).job();
  TestWorker alpha("alpha");
  const v1::Assignment running = Claim(alpha);
  alpha.Reports(running);
  Call(alpha);
  Pass(Milliseconds(5'000));
  law.set_spec_json(spec + R"(,"time_limit":"20s"})");
  EXPECT_EQ(Submit({law}).outcomes(0).outcome(), "updated");
  Pass(Milliseconds(14'000));
  alpha.Reports(running);
  Call(alpha);
  EXPECT_EQ(State(job), "running");
  Pass(Milliseconds(1'000));
  EXPECT_EQ(State(job), "failed");
}

TEST_F(CheckpointHandoverTest, ADrainThatIsUndoneIsSeenAtOnce) {
  TestWorker alpha("alpha");
  Call(alpha);
  Drain("alpha", std::nullopt);
  alpha.request.set_draining(true);
  Call(alpha);
  v1::DrainWorkerRequest undo;
  undo.set_worker("alpha");
  undo.set_undo(true);
  EXPECT_EQ(core_->Drain(now_, undo)->state(), "up");
}

}  // namespace
}  // namespace mozgach
