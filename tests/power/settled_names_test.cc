// A process died between a rename and its sync, and another goes on: what it then tells others is
// there must be there after a cut as well.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>

#include "common/digest.h"
#include "common/files.h"
#include "registry/blob_store.h"
#include "registry/version_files.h"
#include "tests/power/power_disk.h"

namespace mozgach::power {
namespace {

namespace fs = std::filesystem;

constexpr int kDraws = 24;
constexpr uint64_t kBlobBytesMax = 1 << 20;

class SettledNamesTest : public ::testing::Test {
 protected:
  ~SettledNamesTest() override { PowerDisk::Get().Detach(); }

  // In how many of the states that a cut leaves after `what` the path is there.
  int Kept(const fs::path& path, const std::function<void(const fs::path& root)>& what) {
    int kept = 0;
    for (int seed = 0; seed < kDraws; ++seed) {
      std::string root = "/tmp/mozgach-settled-XXXXXX";
      if (::mkdtemp(root.data()) == nullptr) ADD_FAILURE() << "no folder";
      PowerDisk::Get().Attach(root);
      what(root);
      PowerDisk::Get().PowerOn(static_cast<uint64_t>(seed));
      PowerDisk::Get().Detach();
      kept += fs::exists(root / path);
      fs::remove_all(root);
    }
    return kept;
  }

  const std::string bytes_ = "rows of law";
  const std::string sha256_ = Sha256Hex(bytes_);
};

// Up to the rename of an upload, which nobody synced.
void LeaveBlob(const fs::path& root, const std::string& bytes, const std::string& sha256) {
  BlobStore store(root, kBlobBytesMax);
  ASSERT_TRUE(store.Open().ok());
  const fs::path partial = root / "partial" / sha256;
  {
    FileDescriptor fd(::open(partial.c_str(), O_WRONLY | O_CREAT, 0644));
    ASSERT_EQ(::write(fd.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    ASSERT_EQ(::fsync(fd.get()), 0);
  }
  const fs::path complete = store.Path(sha256).value();
  ASSERT_TRUE(MakeDirectories(complete.parent_path()).ok());
  ASSERT_EQ(::rename(partial.c_str(), complete.c_str()), 0);
}

TEST_F(SettledNamesTest, BlobWhoseNameWasNeverSyncedIsOnceItIsFound) {
  const fs::path path = fs::path(sha256_.substr(0, 2)) / sha256_;
  const int alone = Kept(path, [&](const fs::path& root) { LeaveBlob(root, bytes_, sha256_); });
  EXPECT_LT(alone, kDraws) << "a cut should be able to take it";
  EXPECT_EQ(Kept(path,
                 [&](const fs::path& root) {
                   LeaveBlob(root, bytes_, sha256_);
                   BlobStore store(root, kBlobBytesMax);
                   ASSERT_TRUE(store.Open().ok());
                   EXPECT_TRUE(store.Has(sha256_));
                 }),
            kDraws);
}

// Up to the rename that shows a version, which nobody synced.
Version LeaveVersion(const fs::path& root) {
  VersionFiles files(root);
  EXPECT_TRUE(files.Open().ok());
  Version version;
  version.domain = "law";
  version.number = 1;
  version.job = 1;
  version.attempt = 1;
  version.metrics_json = "{}\n";
  EXPECT_TRUE(files.Stage(version, BlobStore(root / "blobs", kBlobBytesMax)).ok());
  EXPECT_TRUE(MakeDirectories(root / "adapters/law").ok());
  EXPECT_EQ(::rename((root / "staging/1-1").c_str(), (root / "adapters/law/v0001").c_str()), 0);
  return version;
}

TEST_F(SettledNamesTest, VersionWhoseNameWasNeverSyncedIsOnceItIsRevealedAgain) {
  const fs::path path = "adapters/law/v0001/manifest.json";
  const int alone = Kept(path, [&](const fs::path& root) { LeaveVersion(root); });
  EXPECT_LT(alone, kDraws) << "a cut should be able to take it";
  EXPECT_EQ(Kept(path,
                 [&](const fs::path& root) {
                   const Version version = LeaveVersion(root);
                   VersionFiles files(root);
                   EXPECT_TRUE(files.Open().ok());
                   EXPECT_TRUE(files.Reveal(version).ok());
                 }),
            kDraws);
}

}  // namespace
}  // namespace mozgach::power
