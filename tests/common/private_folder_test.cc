#include "common/private_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/registry/temporary_directory.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;

mode_t ModeOf(const fs::path& path) {
  struct stat info;
  return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
}

TEST(PrivateFolderTest, ANewFolderIsItsOwnersAlone) {
  TemporaryDirectory temporary;
  const fs::path folder = temporary.path() / "a/b";
  ASSERT_TRUE(MakePrivateDirectory(folder).ok());
  EXPECT_EQ(ModeOf(folder), mode_t{0700});
  EXPECT_EQ(ModeForOthers(folder), mode_t{0});
}

TEST(PrivateFolderTest, AnExistingFolderKeepsItsMode) {
  TemporaryDirectory temporary;
  const fs::path folder = temporary.path() / "a";
  ASSERT_EQ(::mkdir(folder.c_str(), 0700), 0);
  ASSERT_EQ(::chmod(folder.c_str(), 0750), 0);
  ASSERT_TRUE(MakePrivateDirectory(folder).ok());
  EXPECT_EQ(ModeOf(folder), mode_t{0750});
  EXPECT_EQ(ModeForOthers(folder), mode_t{0750});
}

TEST(PrivateFolderTest, AFileInItsPlaceIsAnError) {
  TemporaryDirectory temporary;
  const fs::path file = temporary.path() / "a";
  ASSERT_EQ(::mknod(file.c_str(), S_IFREG | 0600, 0), 0);
  EXPECT_FALSE(MakePrivateDirectory(file).ok());
  EXPECT_FALSE(MakePrivateDirectory(file / "b").ok());
}

}  // namespace
}  // namespace mozgach
