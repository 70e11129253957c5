#include "trainer/checkpoint/base_digest.h"

#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "common/digest.h"
#include "tests/trainer/checkpoint/temporary_directory.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;

class BaseDigestTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(Base());
    directory_.Write("base/config.json", "{}");
    Write(at::randn({100}));
  }
  void Write(const at::Tensor& tensor) {
    ASSERT_TRUE(WriteSafetensors(Base() / "model.safetensors", {{"a", tensor}}, {}).ok());
    // Waits until a later change of the file must get different times.
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  fs::path Base() const { return directory_ / "base"; }
  fs::path Folder() const { return directory_ / "cache"; }

  struct Outcome {
    bool remembered;
    std::string digest;
  };
  Outcome Digest() {
    const WeightFiles files = *WeightFiles::Open(Base());
    BaseDigest digest(Base(), files, Folder());
    const bool remembered = digest.remembered();
    return {remembered, *digest.Wait()};
  }
  fs::path Record() const { return fs::directory_iterator(Folder() / "digests")->path(); }

  TemporaryDirectory directory_;
};

TEST_F(BaseDigestTest, IsTheDigestOfTheFileDigests) {
  const std::string lines = *Sha256OfFile(Base() / "config.json") + "  config.json\n" +
                            *Sha256OfFile(Base() / "model.safetensors") + "  model.safetensors\n";
  EXPECT_EQ(Digest().digest, Sha256Hex(lines));
}

TEST_F(BaseDigestTest, SecondCallHashesNothing) {
  const Outcome first = Digest(), second = Digest();
  EXPECT_FALSE(first.remembered);
  EXPECT_TRUE(second.remembered);
  EXPECT_EQ(first.digest, second.digest);
}

TEST_F(BaseDigestTest, HashesReplacedFileOfSameSizeAndTime) {
  const std::string before = Digest().digest;
  const auto path = Base() / "model.safetensors";
  const auto time = fs::last_write_time(path);
  Write(at::randn({100}));
  fs::last_write_time(path, time);
  const Outcome after = Digest();
  EXPECT_FALSE(after.remembered);
  EXPECT_NE(after.digest, before);
}

TEST_F(BaseDigestTest, ChangesWithTheConfig) {
  const std::string before = Digest().digest;
  directory_.Write("base/config.json", "{ }");
  const Outcome after = Digest();
  EXPECT_TRUE(after.remembered);  // the weights' digests are remembered
  EXPECT_NE(after.digest, before);
}

TEST_F(BaseDigestTest, DoesNotRememberFileWithTimeInTheFuture) {
  const auto time = fs::file_time_type::clock::now() + std::chrono::hours(1);
  fs::last_write_time(Base() / "model.safetensors", time);
  Digest();
  EXPECT_FALSE(Digest().remembered);
}

TEST_F(BaseDigestTest, IgnoresDamagedRecord) {
  const std::string digest = Digest().digest;
  for (const char* text : {"", "{", "[]", "{\"version\": 2, \"files\": {}}",
                           "{\"version\": 1, \"files\": 7}", "{\"version\": 1}"}) {
    std::ofstream(Record()) << text;
    const Outcome again = Digest();
    EXPECT_FALSE(again.remembered) << text;
    EXPECT_EQ(again.digest, digest) << text;
    EXPECT_TRUE(Digest().remembered) << text;
  }
}

TEST_F(BaseDigestTest, IgnoresUnwritableRecord) {
  directory_.Write("cache", "in the way");
  EXPECT_EQ(Digest().digest, Digest().digest);
}

TEST_F(BaseDigestTest, RejectsFileThatChangesDuringReading) {
  const auto path = Base() / "model.safetensors";
  const auto file = *SafetensorsFile::Open(path);
  std::ofstream(path, std::ios::in | std::ios::out | std::ios::binary).seekp(100).put('x');
  EXPECT_EQ(file->Digest().status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace mozgach
