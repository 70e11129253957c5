#include <gtest/gtest.h>

#include "tests/trainer/train/small_base.h"
#include "trainer/adapter/adapter_job.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;

// Interrupts the training before step `at` + 1.
class Leaver : public JobObserver {
 public:
  Leaver(int64_t at, Interruption how) : at_(at), how_(how) {}
  void OnStarted(int64_t step, int64_t steps, std::optional<double> mean_loss) override {
    started_at = step;
    mean_at_start = mean_loss;
  }
  void OnStep(const StepReport& report) override {
    step_ = report.step;
    last_report = report;
  }
  Interruption Poll() override { return step_ >= at_ ? how_ : Interruption::kNone; }

  int64_t started_at = -1;
  std::optional<double> mean_at_start;
  StepReport last_report;

 private:
  int64_t at_;
  Interruption how_;
  int64_t step_ = 0;
};

class ResumeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    WriteSmallBase(dir_.path() / "base");
    spec_.training.max_steps = 12;
    base_ = LoadSmallBase(dir_.path() / "base", spec_);
    WriteSmallDataset(dir_.path(), 23);
    JobObserver undisturbed;
    ASSERT_TRUE(MakeAdapter(Job("whole"), *base_, undisturbed).ok());
    expected_ = Weights("whole");
  }

  AdapterJob Job(const std::string& name) const {
    AdapterJob job = SmallJob(dir_.path(), spec_);
    job.output_dir = dir_.path() / name / "output";
    job.checkpoint_dir = dir_.path() / name / "checkpoints";
    return job;
  }
  std::string Weights(const std::string& name) const {
    return ReadText(dir_.path() / name / "output" / "adapter_model.safetensors");
  }
  void Leave(const std::string& name, int64_t at, Interruption how) const {
    Leaver leaver(at, how);
    EXPECT_TRUE(absl::IsCancelled(MakeAdapter(Job(name), *base_, leaver).status()));
  }

  TemporaryDirectory dir_;
  DomainSpec spec_ = SmallSpec();
  std::unique_ptr<Base> base_;
  std::string expected_;
};

TEST_F(ResumeTest, StopAndResumeGivesTheSameAdapter) {
  for (const int64_t at : {1, 4, 5, 6, 11}) {
    const std::string name = "stop" + std::to_string(at);
    Leave(name, at, Interruption::kStop);
    Leaver rest(100, Interruption::kNone);
    ASSERT_TRUE(MakeAdapter(Job(name), *base_, rest).ok());
    EXPECT_EQ(rest.started_at, at);
    EXPECT_TRUE(Weights(name) == expected_) << "stopped after step " << at;
  }
}

TEST_F(ResumeTest, StopAndResumeReportsTheSameLosses) {
  spec_.training.logging_steps = 4;
  spec_.training.save_steps = 6;  // in the middle of a logging interval
  Leaver whole(100, Interruption::kNone);
  ASSERT_TRUE(MakeAdapter(Job("whole6"), *base_, whole).ok());
  Leave("logged6", 8, Interruption::kCancel);
  Leaver rest(100, Interruption::kNone);
  ASSERT_TRUE(MakeAdapter(Job("logged6"), *base_, rest).ok());
  EXPECT_EQ(rest.started_at, 6);
  EXPECT_EQ(rest.last_report.step, 12);
  EXPECT_EQ(rest.last_report.loss, whole.last_report.loss);
  EXPECT_EQ(rest.last_report.step_loss, whole.last_report.step_loss);
  EXPECT_EQ(rest.last_report.mean_loss, whole.last_report.mean_loss);
  // All steps are done: the last running mean is reported again.
  Leaver scores(100, Interruption::kNone);
  ASSERT_TRUE(MakeAdapter(Job("logged6"), *base_, scores).ok());
  EXPECT_EQ(scores.started_at, 12);
  EXPECT_EQ(scores.mean_at_start, whole.last_report.mean_loss);
}

TEST_F(ResumeTest, CancelledTrainingResumesFromLastCheckpoint) {
  Leave("cancel", 8, Interruption::kCancel);
  Leaver rest(100, Interruption::kNone);
  ASSERT_TRUE(MakeAdapter(Job("cancel"), *base_, rest).ok());
  EXPECT_EQ(rest.started_at, 5);
  EXPECT_TRUE(Weights("cancel") == expected_);
}

TEST_F(ResumeTest, DamagedNewestCheckpointCostsOnlySteps) {
  Leave("torn", 11, Interruption::kCancel);
  fs::resize_file(dir_.path() / "torn/checkpoints/step-000010/state.safetensors", 64);
  Leaver rest(100, Interruption::kNone);
  ASSERT_TRUE(MakeAdapter(Job("torn"), *base_, rest).ok());
  EXPECT_EQ(rest.started_at, 5);
  EXPECT_TRUE(Weights("torn") == expected_);
}

TEST_F(ResumeTest, AfterLastStepOnlyScoresAreComputed) {
  Leave("end", 12, Interruption::kStop);  // while the scores are computed
  Leaver rest(100, Interruption::kNone);
  ASSERT_TRUE(MakeAdapter(Job("end"), *base_, rest).ok());
  EXPECT_EQ(rest.started_at, 12);
  EXPECT_TRUE(Weights("end") == expected_);
}

// Ranks for which some matrices have 8-bit moments and others float32 moments.
TEST_F(ResumeTest, EightBitMomentsResumeByteForByte) {
  spec_.training.optim = "adamw_8bit";
  spec_.lora.r = 96;
  JobObserver undisturbed;
  ASSERT_TRUE(MakeAdapter(Job("whole8"), *base_, undisturbed).ok());
  EXPECT_NE(Weights("whole8"), expected_);
  Leave("stop8", 7, Interruption::kStop);
  Leaver rest(100, Interruption::kNone);
  ASSERT_TRUE(MakeAdapter(Job("stop8"), *base_, rest).ok());
  EXPECT_EQ(rest.started_at, 7);
  EXPECT_TRUE(Weights("stop8") == Weights("whole8"));
}

TEST_F(ResumeTest, AnotherDatasetStartsOver) {
  Leave("data", 8, Interruption::kStop);
  WriteSmallDataset(dir_.path(), 24);
  Leaver rest(100, Interruption::kNone);
  ASSERT_TRUE(MakeAdapter(Job("data"), *base_, rest).ok());
  EXPECT_EQ(rest.started_at, 0);
}

TEST_F(ResumeTest, RejectsForeignCheckpointsOnExplicitResume) {
  Leave("foreign", 8, Interruption::kStop);
  spec_.training.learning_rate = 1e-3;
  AdapterJob job = Job("foreign");
  job.resume_only_own = true;
  JobObserver observer;
  EXPECT_TRUE(absl::IsInvalidArgument(MakeAdapter(job, *base_, observer).status()));
}

}  // namespace
}  // namespace mozgach
