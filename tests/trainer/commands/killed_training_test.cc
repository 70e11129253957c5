#include <gtest/gtest.h>

#include <csignal>

#include "tests/trainer/serve/trainer_process.h"
#include "tests/trainer/train/small_base.h"

namespace mozgach {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

class KilledTrainingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    WriteSmallBase(dir_.path() / "base");
    WriteSmallDataset(dir_.path(), 23);
    spec_.training.max_steps = 40;
    WriteDomainFile(dir_.path(), spec_);
  }
  std::vector<std::string> Train(const std::string& output, std::vector<std::string> more) const {
    std::vector<std::string> arguments = {"train",
                                          "--domain",
                                          (dir_.path() / "small.yaml").string(),
                                          "--base",
                                          (dir_.path() / "base").string(),
                                          "--output",
                                          (dir_.path() / output).string(),
                                          "--json",
                                          "--threads",
                                          "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  std::string Weights(const std::string& output) const {
    return ReadText(dir_.path() / output / "adapter_model.safetensors");
  }
  // Runs until step `step` was reported, sends `signal`, and returns the exit code.
  int SignalAt(const std::string& output, int64_t step, int signal,
               std::vector<std::string> more = {}) const {
    TrainerProcess process(Train(output, std::move(more)), dir_.path() / "log");
    process.WaitFor([&](const Json& json) { return json.at("step") >= step; });
    process.Signal(signal);
    return process.Wait();
  }

  TemporaryDirectory dir_;
  DomainSpec spec_ = SmallSpec();
};

TEST_F(KilledTrainingTest, KilledAgainAndAgainTheAdapterIsTheSameByteForByte) {
  const Ran whole = RunTrainer(Train("whole", {}));
  ASSERT_EQ(whole.exit_code, 0) << whole.log;
  EXPECT_EQ(SignalAt("killed", 3, SIGKILL), 128 + SIGKILL);
  for (const int64_t step : {8, 17, 29}) {
    EXPECT_EQ(SignalAt("killed", step, SIGKILL, {"--resume"}), 128 + SIGKILL);
  }
  const Ran rest = RunTrainer(Train("killed", {"--resume"}));
  ASSERT_EQ(rest.exit_code, 0) << rest.log;
  EXPECT_TRUE(Weights("killed") == Weights("whole"));
}

TEST_F(KilledTrainingTest, AskedToTerminateItLeavesACheckpointOfThatStep) {
  EXPECT_EQ(SignalAt("asked", 8, SIGTERM), 1);
  bool found = false;
  for (const auto& entry : fs::directory_iterator(dir_.path() / "asked" / "checkpoints")) {
    found |= entry.path().filename() >= "step-000008";
  }
  EXPECT_TRUE(found);
  EXPECT_EQ(RunTrainer(Train("asked", {"--resume"})).exit_code, 0);
}

}  // namespace
}  // namespace mozgach
