#include "worker/transfer/data_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "tests/worker/temporary_folder.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;

TEST(DataFolderTest, BelongsToOneWorkerAtATime) {
  TemporaryFolder folder;
  {
    const auto first = DataFolder::Open(folder.path() / "new");
    ASSERT_TRUE(first.ok()) << first.status();
    const auto second = DataFolder::Open(folder.path() / "new");
    EXPECT_TRUE(absl::IsFailedPrecondition(second.status()));
    EXPECT_THAT(std::string(second.status().message()), ::testing::HasSubstr("in use"));
  }
  EXPECT_TRUE(DataFolder::Open(folder.path() / "new").ok());
}

TEST(DataFolderTest, SweepsAttemptsAndOldCheckpointsAndKeepsTheRest) {
  TemporaryFolder folder;
  folder.Write("attempts/1-1/adapter/x", "");
  folder.Write("datasets/aa", "");
  folder.Write("checkpoints/1/step-5", "");
  folder.Write("checkpoints/2/step-5", "");
  const auto old = fs::file_time_type::clock::now() - std::chrono::hours(24 * 8);
  fs::last_write_time(folder.path() / "checkpoints/2/step-5", old);
  fs::last_write_time(folder.path() / "checkpoints/2", old);
  const auto data = DataFolder::Open(folder.path());
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_FALSE(fs::exists(data->attempt({1, 1})));
  EXPECT_TRUE(fs::exists(data->datasets() / "aa"));
  EXPECT_TRUE(fs::exists(data->checkpoints(1)));
  EXPECT_FALSE(fs::exists(data->checkpoints(2)));
}

TEST(DataFolderTest, PathThatIsAFileIsRefused) {
  TemporaryFolder folder;
  EXPECT_FALSE(DataFolder::Open(folder.Write("file", "")).ok());
}

}  // namespace
}  // namespace mozgach
