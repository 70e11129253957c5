#include "trainer/checkpoint/base_stamps.h"

#include <gtest/gtest.h>

#include <chrono>

#include "tests/trainer/checkpoint/temporary_directory.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;

class BaseStampsTest : public ::testing::Test {
 protected:
  BaseStampsTest() {
    directory_.Write("config.json", "{}");
    directory_.Write("model.safetensors", "weights");
    before_ = BaseStamps::Of(directory_.path());
  }
  std::string Change() const { return before_.FirstChange(BaseStamps::Of(directory_.path())); }
  std::string ChangeInPlace() const {
    return before_.FirstChangeInPlace(BaseStamps::Of(directory_.path()));
  }
  // As a later write does, whatever the clock of the file system.
  void Touch(const std::string& name) const {
    fs::last_write_time(directory_ / name,
                        fs::file_time_type::clock::now() + std::chrono::seconds(5));
  }

  TemporaryDirectory directory_;
  BaseStamps before_;
};

TEST_F(BaseStampsTest, FindsNoChangeWhereThereIsNone) {
  EXPECT_EQ(Change(), "");
  directory_.Write("README.md", "text");
  EXPECT_EQ(Change(), "");
}

TEST_F(BaseStampsTest, FindsFilesThatAreChangedNewOrGone) {
  Touch("config.json");
  EXPECT_EQ(Change(), "config.json");
  before_ = BaseStamps::Of(directory_.path());
  directory_.Write("chat_template.jinja", "{{ messages }}");
  EXPECT_EQ(Change(), "chat_template.jinja");
  before_ = BaseStamps::Of(directory_.path());
  fs::remove(directory_ / "chat_template.jinja");
  EXPECT_EQ(Change(), "chat_template.jinja");
}

TEST_F(BaseStampsTest, TellsWeightsOverwrittenInPlaceFromReplacedOnes) {
  Touch("config.json");
  EXPECT_EQ(ChangeInPlace(), "");
  directory_.Write("new", "others!");
  fs::rename(directory_ / "new", directory_ / "model.safetensors");
  EXPECT_EQ(Change(), "config.json");
  EXPECT_EQ(ChangeInPlace(), "");
  before_ = BaseStamps::Of(directory_.path());
  Touch("model.safetensors");
  EXPECT_EQ(ChangeInPlace(), "model.safetensors");
}

TEST_F(BaseStampsTest, TextDigestFollowsEverythingButWeights) {
  const std::string digest = *before_.TextDigest();
  directory_.Write("model.safetensors", "other weights");
  EXPECT_EQ(*BaseStamps::Of(directory_.path()).TextDigest(), digest);
  directory_.Write("tokenizer.json", "{}");
  EXPECT_NE(*BaseStamps::Of(directory_.path()).TextDigest(), digest);
}

}  // namespace
}  // namespace mozgach
