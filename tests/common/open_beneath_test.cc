#include "common/open_beneath.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace mozgach {
namespace {

namespace fs = std::filesystem;

class OpenBeneathTest : public ::testing::Test {
 protected:
  OpenBeneathTest() {
    std::string pattern = (fs::temp_directory_path() / "mozgach_beneath_XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    fs::create_directories(root_ / "adapters/law");
    std::ofstream(root_ / "adapters/law/a") << "bytes";
    std::ofstream(root_ / "secret") << "secret";
  }
  ~OpenBeneathTest() override { fs::remove_all(root_); }

  absl::StatusCode Code(const char* relative) {
    return OpenBeneath(root_ / "adapters", relative).status().code();
  }

  fs::path root_;
};

TEST_F(OpenBeneathTest, OpensRegularFiles) {
  const auto file = OpenBeneath(root_ / "adapters", "law/a");
  ASSERT_TRUE(file.ok()) << file.status();
  char bytes[8];
  EXPECT_EQ(::read(file->get(), bytes, sizeof(bytes)), 5);
  EXPECT_EQ(Code("law/b"), absl::StatusCode::kNotFound);
}

TEST_F(OpenBeneathTest, FollowsNoLinkBelowTheRoot) {
  fs::create_symlink(root_ / "secret", root_ / "adapters/law/link");
  fs::create_symlink("a", root_ / "adapters/law/inside");
  fs::create_directory_symlink(root_, root_ / "adapters/tax");
  EXPECT_EQ(Code("law/link"), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Code("law/inside"), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Code("tax/secret"), absl::StatusCode::kFailedPrecondition);
  // The data directory may be reached through a link.
  fs::create_directory_symlink(root_ / "adapters", root_ / "elsewhere");
  EXPECT_TRUE(OpenBeneath(root_ / "elsewhere", "law/a").ok());
}

TEST_F(OpenBeneathTest, OpensNothingThatIsNoFileOrLiesElsewhere) {
  ASSERT_EQ(::mkfifo((root_ / "adapters/law/pipe").c_str(), 0600), 0);
  EXPECT_EQ(Code("law/pipe"), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Code("law"), absl::StatusCode::kFailedPrecondition);
  for (const char* path : {"", "/etc/passwd", "../secret", "law/../../secret", "./law/a"}) {
    EXPECT_EQ(Code(path), absl::StatusCode::kInvalidArgument) << path;
  }
}

}  // namespace
}  // namespace mozgach
