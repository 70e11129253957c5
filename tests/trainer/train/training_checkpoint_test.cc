#include "trainer/train/training_checkpoint.h"

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/trainer/train/small_base.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;

class TrainingCheckpointTest : public ::testing::Test {
 protected:
  TrainingCheckpoints Checkpoints(const std::string& spec_digest, int64_t limit = 10) const {
    return TrainingCheckpoints(dir_.path() / "checkpoints", {spec_digest, "data", "base"},
                               {"float32", 2}, limit);
  }
  static NamedTensorList Tensors(double value) {
    return {{"a", at::full({3, 2}, value)}, {"exp_avg.a", at::full({3, 2}, value / 2)}};
  }
  static void Save(const TrainingCheckpoints& checkpoints, int64_t step) {
    const TrainingTotals totals{step, step * 100, 1.5 * static_cast<double>(step), 0.25};
    const auto path = checkpoints.Save(totals, Tensors(static_cast<double>(step)));
    ASSERT_TRUE(path.ok()) << path.status();
  }
  // The step that training resumes after; 0: no checkpoint. Checks that the tensors are those of
  // that step.
  static int64_t RestoredStep(const TrainingCheckpoints& checkpoints) {
    const NamedTensorList tensors = Tensors(0);
    std::vector<std::string> notices;
    const auto totals = checkpoints.Restore(tensors, &notices);
    EXPECT_TRUE(totals.ok()) << totals.status();
    if (!totals.ok() || !totals->has_value()) return 0;
    const int64_t step = (*totals)->step;
    EXPECT_TRUE(tensors[0].second.equal(at::full({3, 2}, static_cast<double>(step))));
    EXPECT_EQ((*totals)->tokens, step * 100);
    return step;
  }
  fs::path Step(const std::string& name) const { return dir_.path() / "checkpoints" / name; }

  TemporaryDirectory dir_;
};

TEST_F(TrainingCheckpointTest, RestoresTheNewest) {
  EXPECT_EQ(RestoredStep(Checkpoints("spec")), 0);
  Save(Checkpoints("spec"), 5);
  Save(Checkpoints("spec"), 10);
  EXPECT_EQ(RestoredStep(Checkpoints("spec")), 10);
  const PinnedChoices pinned = PinnedInCheckpoints(dir_.path() / "checkpoints");
  EXPECT_EQ(pinned.compute_dtype, "float32");
  EXPECT_EQ(pinned.threads, 2);
}

TEST_F(TrainingCheckpointTest, SkipsDamagedCheckpoint) {
  for (const int64_t step : {5, 10, 15}) Save(Checkpoints("spec"), step);
  fs::resize_file(Step("step-000015") / "state.safetensors", 100);
  EXPECT_EQ(RestoredStep(Checkpoints("spec")), 10);
  WriteText(Step("step-000010") / "checkpoint.json", "{\"format\": 1, \"spec_dig");
  EXPECT_EQ(RestoredStep(Checkpoints("spec")), 5);
}

TEST_F(TrainingCheckpointTest, DetectsOneFlippedBit) {
  Save(Checkpoints("spec"), 5);
  const fs::path file = Step("step-000005") / "state.safetensors";
  std::string bytes = ReadText(file);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  WriteText(file, bytes);
  EXPECT_EQ(RestoredStep(Checkpoints("spec")), 0);
}

TEST_F(TrainingCheckpointTest, DoesNotRestoreCheckpointOfAnotherTraining) {
  Save(Checkpoints("spec"), 5);
  EXPECT_EQ(RestoredStep(Checkpoints("other")), 0);
  EXPECT_TRUE(Checkpoints("other").OnlyForeign());
  EXPECT_FALSE(Checkpoints("spec").OnlyForeign());
}

TEST_F(TrainingCheckpointTest, KeepsOnlyTheNewest) {
  for (const int64_t step : {5, 10, 15, 20}) Save(Checkpoints("spec", 2), step);
  EXPECT_FALSE(fs::exists(Step("step-000010")));
  EXPECT_TRUE(fs::exists(Step("step-000015")));
  EXPECT_TRUE(fs::exists(Step("step-000020")));
}

TEST_F(TrainingCheckpointTest, IgnoresLeftoversOfKilledWriter) {
  Save(Checkpoints("spec"), 5);
  fs::create_directories(Step(".step-000010.partial"));
  fs::create_directories(Step("step-000020"));
  EXPECT_EQ(RestoredStep(Checkpoints("spec")), 5);
  Save(Checkpoints("spec"), 10);
  EXPECT_EQ(RestoredStep(Checkpoints("spec")), 10);
}

TEST_F(TrainingCheckpointTest, RejectsTensorsOfAnotherShapeWithoutPartialCopy) {
  Save(Checkpoints("spec"), 5);
  const NamedTensorList tensors = {{"a", at::zeros({3, 2})}, {"exp_avg.a", at::zeros({2, 3})}};
  std::vector<std::string> notices;
  const auto totals = Checkpoints("spec").Restore(tensors, &notices);
  ASSERT_TRUE(totals.ok());
  EXPECT_FALSE(totals->has_value());
  EXPECT_EQ(notices.size(), 1u);
  EXPECT_TRUE(tensors[0].second.equal(at::zeros({3, 2})));
}

}  // namespace
}  // namespace mozgach
