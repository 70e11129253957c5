// Training with less memory than it needs at rung 0.
#include <gtest/gtest.h>

#include "tests/trainer/train/small_base.h"
#include "trainer/adapter/adapter_job.h"
#include "trainer/device/runtime.h"
#include "trainer/memory/counted_memory.h"
#include "trainer/train/failure.h"

namespace mozgach {
namespace {

class Watcher : public JobObserver {
 public:
  void OnSteppedDown(int64_t step, int64_t rung, const std::string& what) override {
    rungs.push_back(rung);
    steps.push_back(step);
  }
  void OnStep(const StepReport& report) override { losses.push_back(report.loss); }

  std::vector<int64_t> rungs;
  std::vector<int64_t> steps;  // steps after which the training stepped down
  std::vector<double> losses;
};

class LittleMemoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    StartRuntime();
    WriteSmallBase(dir_.path() / "base");
    spec_.training.max_steps = 6;
    spec_.training.per_device_train_batch_size = 4;
    spec_.evaluation.metrics = {"perplexity"};
    spec_.lora.lora_dropout = 0;  // masks are drawn per micro-batch
    base_ = LoadSmallBase(dir_.path() / "base", spec_);
    WriteSmallDataset(dir_.path(), 40);
  }
  void TearDown() override { BoundTensors(0); }

  AdapterJob Job(const std::string& name) const {
    AdapterJob job = SmallJob(dir_.path(), spec_);
    job.output_dir = dir_.path() / name / "output";
    job.checkpoint_dir = dir_.path() / name / "checkpoints";
    job.cache_dir = dir_.path() / "cache";
    return job;
  }

  // The memory that the training needs in addition to the memory in use before it.
  int64_t Wanted() {
    ResetCountedPeak();
    const int64_t before = CountTensors().now;
    EXPECT_TRUE(MakeAdapter(Job("free"), *base_, free_).ok());
    return CountTensors().peak - before;
  }

  TemporaryDirectory dir_;
  DomainSpec spec_ = SmallSpec();
  std::unique_ptr<Base> base_;
  Watcher free_;
};

TEST_F(LittleMemoryTest, StepsDownAndLearnsTheSame) {
  const int64_t wanted = Wanted();
  EXPECT_TRUE(free_.rungs.empty());
  BoundTensors(CountTensors().now + wanted * 6 / 10);
  Watcher tight;
  const auto done = MakeAdapter(Job("tight"), *base_, tight);
  ASSERT_TRUE(done.ok()) << done.status();
  ASSERT_FALSE(tight.rungs.empty());
  EXPECT_EQ(tight.rungs.front(), 1);
  ASSERT_EQ(tight.losses.size(), free_.losses.size());
  for (size_t i = 0; i < free_.losses.size(); ++i) {
    EXPECT_NEAR(tight.losses[i], free_.losses[i], 1e-4 * free_.losses[i]) << i;
  }
  // The next training with the same settings starts on the final rung of this one.
  Watcher next;
  ASSERT_TRUE(MakeAdapter(Job("next"), *base_, next).ok());
  EXPECT_TRUE(next.rungs.empty());
}

TEST_F(LittleMemoryTest, TriesLongestRowFirst) {
  // Adds one long row, which the order may put into any step.
  std::string rows = ReadText(dir_.path() / "train.jsonl");
  std::string words = "one";
  for (int i = 0; i < 90; ++i) words += " and one";
  rows += "{\"instruction\": \"count\", \"output\": \"" + words + "\"}\n";
  WriteText(dir_.path() / "train.jsonl", rows);
  spec_.data.max_length = 512;
  spec_.data.packing = false;
  spec_.training.max_steps.reset();
  spec_.training.num_train_epochs = 1;
  spec_.training.gradient_checkpointing = "false";  // the plan would avoid running out of memory
  for (const int64_t seed : {1, 2, 3}) {
    spec_.training.seed = seed;
    const int64_t wanted = Wanted();
    const std::vector<double> losses = std::exchange(free_.losses, {});
    BoundTensors(CountTensors().now + wanted * 8 / 10);
    Watcher tight;
    const auto done = MakeAdapter(Job("tight" + std::to_string(seed)), *base_, tight);
    BoundTensors(0);
    ASSERT_TRUE(done.ok()) << done.status();
    ASSERT_FALSE(tight.steps.empty());
    EXPECT_EQ(tight.steps.back(), 0) << "with seed " << seed;
    ASSERT_EQ(tight.losses.size(), losses.size());
    EXPECT_NEAR(tight.losses.front(), losses.front(), 1e-4 * losses.front());
    EXPECT_NEAR(tight.losses.back(), losses.back(), 1e-3 * losses.back());
    std::filesystem::remove_all(dir_.path() / "cache");
    std::filesystem::remove_all(dir_.path() / "free");
  }
}

TEST_F(LittleMemoryTest, ReportsOutOfMemoryOnLowestRung) {
  Wanted();
  BoundTensors(CountTensors().now + 20'000);
  Watcher tight;
  const auto done = MakeAdapter(Job("tight"), *base_, tight);
  EXPECT_EQ(ClassOf(done.status()), FailureClass::kOutOfMemory) << done.status();
  BoundTensors(0);
  Watcher after;
  EXPECT_TRUE(MakeAdapter(Job("after"), *base_, after).ok());
}

}  // namespace
}  // namespace mozgach
