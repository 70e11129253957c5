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
    // Until its times cannot be those of another change.
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

TEST_F(BaseDigestTest, ItIsTheDigestOfTheDigests) {
  const std::string lines = *Sha256OfFile(Base() / "config.json") + "  config.json\n" +
                            *Sha256OfFile(Base() / "model.safetensors") + "  model.safetensors\n";
  EXPECT_EQ(Digest().digest, Sha256Hex(lines));
}

TEST_F(BaseDigestTest, TheSecondTimeNothingIsHashed) {
  const Outcome first = Digest(), second = Digest();
  EXPECT_FALSE(first.remembered);
  EXPECT_TRUE(second.remembered);
  EXPECT_EQ(first.digest, second.digest);
}

TEST_F(BaseDigestTest, AFileOfTheSameSizeAndTimeIsHashedAgain) {
  const std::string before = Digest().digest;
  const auto path = Base() / "model.safetensors";
  const auto time = fs::last_write_time(path);
  Write(at::randn({100}));
  fs::last_write_time(path, time);
  const Outcome after = Digest();
  EXPECT_FALSE(after.remembered);
  EXPECT_NE(after.digest, before);
}

TEST_F(BaseDigestTest, AnotherConfigIsAnotherDigest) {
  const std::string before = Digest().digest;
  directory_.Write("base/config.json", "{ }");
  const Outcome after = Digest();
  EXPECT_TRUE(after.remembered);  // the weights are
  EXPECT_NE(after.digest, before);
}

TEST_F(BaseDigestTest, AFileWhoseTimeMayComeAgainIsNotRemembered) {
  const auto time = fs::file_time_type::clock::now() + std::chrono::hours(1);
  fs::last_write_time(Base() / "model.safetensors", time);
  Digest();
  EXPECT_FALSE(Digest().remembered);
}

TEST_F(BaseDigestTest, ADamagedRecordIsPassedOver) {
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

TEST_F(BaseDigestTest, ARecordThatCannotBeWrittenIsNoError) {
  directory_.Write("cache", "in the way");
  EXPECT_EQ(Digest().digest, Digest().digest);
}

TEST_F(BaseDigestTest, AFileThatChangesWhileItIsReadIsRefused) {
  const auto path = Base() / "model.safetensors";
  const auto file = *SafetensorsFile::Open(path);
  std::ofstream(path, std::ios::in | std::ios::out | std::ios::binary).seekp(100).put('x');
  EXPECT_EQ(file->Digest().status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace mozgach
