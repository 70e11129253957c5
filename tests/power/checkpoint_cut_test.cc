// Checkpoints of a training on a disk that loses power: what was saved is there, byte for byte.
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "tests/power/power_disk.h"
#include "trainer/train/training_checkpoint.h"

namespace mozgach::power {
namespace {

namespace fs = std::filesystem;

constexpr int kLives = 60;
constexpr int kCutsPerLife = 6;
constexpr uint64_t kCallsBetweenCuts = 60;

class CheckpointCutTest : public ::testing::Test {
 protected:
  CheckpointCutTest() {
    std::string name = "/tmp/mozgach-power-checkpoint-XXXXXX";
    root_ = ::mkdtemp(name.data());
  }
  ~CheckpointCutTest() override {
    PowerDisk::Get().Detach();
    fs::remove_all(root_);
  }

  // A training's state at `step`.
  static NamedTensorList StateAt(int64_t step) {
    return {{"lora_A", at::full({40, 16}, static_cast<double>(step))},
            {"moments.lora_A", at::full({40, 16}, static_cast<double>(-step))}};
  }
  static bool IsStateAt(int64_t step, const NamedTensorList& tensors) {
    const NamedTensorList right = StateAt(step);
    for (size_t i = 0; i < right.size(); ++i) {
      if (!at::equal(tensors[i].second, right[i].second)) return false;
    }
    return true;
  }
  TrainingCheckpoints Checkpoints() const {
    return TrainingCheckpoints(root_ / "checkpoints" / "7", {"spec", "data", "base"}, {}, 2);
  }

  fs::path root_;
};

// Saves until the power goes; returns the last step whose Save was OK, at least `from`.
int64_t SaveUntilTheCut(const TrainingCheckpoints& checkpoints, int64_t from,
                        NamedTensorList (*state_at)(int64_t)) {
  int64_t saved = from;
  while (!PowerDisk::Get().off()) {
    TrainingTotals totals;
    totals.step = saved + 1;
    const bool ok = checkpoints.Save(totals, state_at(saved + 1)).ok();
    if (ok && !PowerDisk::Get().off()) ++saved;
  }
  return saved;
}

TEST_F(CheckpointCutTest, SavedStepIsThereAfterThreeHundredCuts) {
  for (uint64_t seed = 1; seed <= kLives; ++seed) {
    PowerDisk& disk = PowerDisk::Get();
    disk.Detach();
    for (const auto& entry : fs::directory_iterator(root_)) fs::remove_all(entry.path());
    disk.Attach(root_);
    std::mt19937_64 dice(seed);
    int64_t saved = 0;
    for (int cut = 0; cut < kCutsPerLife; ++cut) {
      disk.Plan(Fault::kCut, static_cast<int64_t>(1 + dice() % kCallsBetweenCuts));
      saved = SaveUntilTheCut(Checkpoints(), saved, StateAt);
      // A trainer that died alone is followed by one on the same disk.
      if (dice() % 3 == 0) {
        disk.Revive();
      } else {
        disk.PowerOn(dice());
      }
      std::vector<std::string> notices;
      NamedTensorList tensors = StateAt(0);
      const auto restored = Checkpoints().Restore(tensors, &notices);
      ASSERT_TRUE(restored.ok()) << restored.status();
      const int64_t found = *restored ? (*restored)->step : 0;
      ASSERT_GE(found, saved) << "seed " << seed << ", cut " << cut;
      ASSERT_TRUE(IsStateAt(found, tensors)) << "seed " << seed << ", cut " << cut;
      saved = found;
    }
  }
}

TEST_F(CheckpointCutTest, CallThatFailsCostsNoEarlierStep) {
  for (const Fault fault : {Fault::kError, Fault::kErrorAfter, Fault::kFull}) {
    for (int64_t call = 1;; ++call) {
      PowerDisk& disk = PowerDisk::Get();
      disk.Detach();
      for (const auto& entry : fs::directory_iterator(root_)) fs::remove_all(entry.path());
      disk.Attach(root_);
      disk.Plan(fault, call, /*length=*/5);
      int64_t saved = 0;
      for (int64_t step = 1; step <= 4; ++step) {
        TrainingTotals totals;
        totals.step = step;
        if (Checkpoints().Save(totals, StateAt(step)).ok()) saved = step;
      }
      const bool struck = !disk.struck().empty();
      disk.PlanNothing();
      disk.PowerOn(static_cast<uint64_t>(call));
      std::vector<std::string> notices;
      NamedTensorList tensors = StateAt(0);
      const auto restored = Checkpoints().Restore(tensors, &notices);
      ASSERT_TRUE(restored.ok()) << restored.status();
      const int64_t found = *restored ? (*restored)->step : 0;
      ASSERT_GE(found, saved) << "call " << call;
      ASSERT_TRUE(IsStateAt(found, tensors)) << "call " << call;
      if (!struck) break;
    }
  }
}

}  // namespace
}  // namespace mozgach::power
