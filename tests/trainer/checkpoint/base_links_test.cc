#include "trainer/checkpoint/base_links.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/trainer/checkpoint/temporary_directory.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class BaseLinksTest : public ::testing::Test {
 protected:
  fs::path Folder(const std::string& name) const {
    fs::create_directories(directory_ / name);
    return directory_ / name;
  }
  TemporaryDirectory directory_;
};

TEST_F(BaseLinksTest, FollowsLinksIntoOwnBlobs) {
  const fs::path snapshot = Folder("hub/models--Qwen--Qwen2.5-0.5B/snapshots/abc123");
  Folder("hub/models--Qwen--Qwen2.5-0.5B/blobs");
  directory_.Write("hub/models--Qwen--Qwen2.5-0.5B/blobs/77", "x");
  fs::create_symlink("../../blobs/77", snapshot / "model.safetensors");
  EXPECT_TRUE(CheckBaseLinks(snapshot, {}).ok()) << CheckBaseLinks(snapshot, {});
}

TEST_F(BaseLinksTest, RejectsLinksIntoAnotherModelsFolder) {
  const fs::path snapshot = Folder("hub/models--a--b/snapshots/abc123");
  Folder("hub/models--c--d/blobs");
  directory_.Write("hub/models--c--d/blobs/77", "x");
  fs::create_symlink("../../../models--c--d/blobs/77", snapshot / "model.safetensors");
  const auto status = CheckBaseLinks(snapshot, {});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("model.safetensors"));
}

TEST_F(BaseLinksTest, AllowsLinksOutOfDirectoryOnlyIntoFoldersOfBases) {
  const fs::path base = Folder("bases/mine"), other = Folder("bases/other");
  directory_.Write("bases/other/tokenizer.json", "x");
  fs::create_symlink(other / "tokenizer.json", base / "tokenizer.json");
  EXPECT_EQ(CheckBaseLinks(base, {}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(CheckBaseLinks(base, {directory_ / "bases"}).ok());
  EXPECT_FALSE(CheckBaseLinks(base, {directory_ / "bases/mine", directory_ / "none"}).ok());
  // A folder whose name only starts with an allowed name.
  Folder("bases/mine2");
  directory_.Write("bases/mine2/x.json", "x");
  fs::remove(base / "tokenizer.json");
  fs::create_symlink("../mine2/x.json", base / "x.json");
  EXPECT_FALSE(CheckBaseLinks(base, {}).ok());
}

TEST_F(BaseLinksTest, AllowsLinksWithinDirectoryAndLinkToDirectory) {
  const fs::path base = Folder("real");
  directory_.Write("real/weights.safetensors", "x");
  fs::create_symlink("weights.safetensors", base / "model.safetensors");
  fs::create_symlink("/etc/passwd", base / "README");  // not a file that is read
  fs::create_symlink(base, directory_ / "link");
  EXPECT_TRUE(CheckBaseLinks(directory_ / "link", {}).ok());
}

TEST_F(BaseLinksTest, RejectsLoops) {
  const fs::path base = Folder("real");
  fs::create_symlink("b.json", base / "a.json");
  fs::create_symlink("a.json", base / "b.json");
  EXPECT_FALSE(CheckBaseLinks(base, {}).ok());
}

TEST_F(BaseLinksTest, MissingDirectoryIsNotFound) {
  EXPECT_EQ(CheckBaseLinks(directory_ / "none", {}).code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace mozgach
