#include "common/files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "gtest/gtest.h"

namespace mozgach {
namespace {
namespace fs = std::filesystem;

class FilesTest : public testing::Test {
 protected:
  FilesTest() {
    std::string pattern = (fs::temp_directory_path() / "mozgach_files_XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
  }
  ~FilesTest() override { fs::remove_all(root_); }

  fs::path root_;
};

TEST_F(FilesTest, WrittenFileIsReadBackAndLeavesNoTemporary) {
  ASSERT_TRUE(WriteFileAtomically(root_ / "a", "one").ok());
  ASSERT_TRUE(WriteFileAtomically(root_ / "a", "two").ok());
  EXPECT_EQ(*ReadFile(root_ / "a"), "two");
  EXPECT_EQ(*ListFiles(root_), std::vector<std::string>{"a"});
}

TEST_F(FilesTest, FailedWriteLeavesTheOldBytes) {
  ASSERT_TRUE(MakeDirectories(root_ / "target" / "inside").ok());
  const absl::Status status = WriteFileAtomically(root_ / "target", "bytes");
  EXPECT_FALSE(status.ok());
  EXPECT_TRUE(fs::is_directory(root_ / "target" / "inside"));
  EXPECT_EQ(ListFiles(root_)->size(), 0u);
}

TEST_F(FilesTest, ReadRefusesWhatIsLargerThanTheLimit) {
  ASSERT_TRUE(WriteFileAtomically(root_ / "big", std::string(100, 'x')).ok());
  EXPECT_EQ(ReadFile(root_ / "big", 99).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(ReadFile(root_ / "big", 100).ok());
}

TEST_F(FilesTest, APipeIsReadToItsEndAndOneThatNobodyWritesToIsGivenUp) {
  ASSERT_EQ(::mkfifo((root_ / "pipe").c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(root_ / "pipe") << std::string(200'000, 'x'); });
  EXPECT_EQ(ReadFile(root_ / "pipe")->size(), 200'000u);
  writer.join();
  const absl::Status alone = ReadFile(root_ / "pipe").status();
  EXPECT_EQ(alone.code(), absl::StatusCode::kInvalidArgument) << alone;
}

TEST_F(FilesTest, MissingFileIsNotFoundAndNamed) {
  const auto bytes = ReadFile(root_ / "none");
  EXPECT_EQ(bytes.status().code(), absl::StatusCode::kNotFound);
  EXPECT_NE(bytes.status().message().find("none"), std::string::npos);
}

TEST_F(FilesTest, LockIsHeldUntilItsHolderGoes) {
  {
    auto first = LockFile(root_ / "lock", "the test directory");
    ASSERT_TRUE(first.ok());
    const auto second = LockFile(root_ / "lock", "the test directory");
    EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  }
  EXPECT_TRUE(LockFile(root_ / "lock", "the test directory").ok());
}

TEST_F(FilesTest, ListingIsSortedRelativeAndPassesOverLinks) {
  ASSERT_TRUE(MakeDirectories(root_ / "b").ok());
  ASSERT_TRUE(WriteFileAtomically(root_ / "b" / "2", "").ok());
  ASSERT_TRUE(WriteFileAtomically(root_ / "1", "").ok());
  fs::create_symlink("1", root_ / "link");
  EXPECT_EQ(*ListFiles(root_), (std::vector<std::string>{"1", "b/2"}));
}

}  // namespace
}  // namespace mozgach
