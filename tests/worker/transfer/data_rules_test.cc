#include "worker/transfer/data_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "tests/worker/temporary_folder.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;

class DataRulesTest : public ::testing::Test {
 protected:
  void WriteOld(const std::string& name, int days, const std::string& bytes = "") {
    folder_.Write(name, bytes);
    const auto then = fs::file_time_type::clock::now() - std::chrono::hours(24 * days);
    fs::last_write_time(folder_.path() / name, then);
    fs::last_write_time((folder_.path() / name).parent_path(), then);
  }
  bool Has(const std::string& name) const { return fs::exists(folder_.path() / name); }

  TemporaryFolder folder_;
};

TEST_F(DataRulesTest, CheckpointsGoByTheDayButNotThoseOfAJobThatIsHeld) {
  WriteOld("1/step-5", 1);
  WriteOld("2/step-5", 3);
  WriteOld("3/step-5", 3);
  DropOldCheckpoints({.checkpoint_days = 2}, folder_.path(), {3});
  EXPECT_TRUE(Has("1/step-5"));
  EXPECT_FALSE(Has("2"));
  EXPECT_TRUE(Has("3/step-5"));
}

TEST_F(DataRulesTest, QuantisedBasesThatWereUsedLongestAgoGoFirst) {
  WriteOld("quantized/old.safetensors", 3, std::string(100, 'x'));
  WriteOld("quantized/newer.safetensors", 2, std::string(100, 'x'));
  WriteOld("quantized/newest.safetensors", 1, std::string(100, 'x'));
  WriteOld("quantized/7.0.draft", 9, std::string(500, 'x'));
  WriteOld("base-scores-1.json", 9);
  TrimTrainerCache({.quantized_bytes = 250}, folder_.path());
  EXPECT_FALSE(Has("quantized/old.safetensors"));
  EXPECT_TRUE(Has("quantized/newer.safetensors"));
  EXPECT_TRUE(Has("quantized/newest.safetensors"));
  EXPECT_TRUE(Has("quantized/7.0.draft"));
  EXPECT_TRUE(Has("base-scores-1.json"));
}

TEST_F(DataRulesTest, WithoutABoundTheTrainersOwnHolds) {
  WriteOld("quantized/old.safetensors", 300, std::string(100, 'x'));
  TrimTrainerCache({}, folder_.path());
  EXPECT_TRUE(Has("quantized/old.safetensors"));
}

}  // namespace
}  // namespace mozgach
