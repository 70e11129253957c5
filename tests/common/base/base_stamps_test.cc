#include "common/base/base_stamps.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <string>

#include "tests/registry/temporary_directory.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;

class BaseStampsTest : public ::testing::Test {
 protected:
  BaseStampsTest() {
    Write("config.json", "{}");
    Write("model.safetensors", "weights");
    before_ = BaseStamps::Of(directory_.path());
  }
  void Write(const std::string& name, const std::string& bytes) const {
    std::ofstream(directory_.path() / name, std::ios::binary) << bytes;
  }
  std::string Change() const { return before_.FirstChange(BaseStamps::Of(directory_.path())); }
  std::string ChangeInPlace() const {
    return before_.FirstChangeInPlace(BaseStamps::Of(directory_.path()));
  }
  // As a later write does, whatever the clock of the file system.
  void Touch(const std::string& name) const {
    fs::last_write_time(directory_.path() / name,
                        fs::file_time_type::clock::now() + std::chrono::seconds(5));
  }

  TemporaryDirectory directory_;
  BaseStamps before_;
};

TEST_F(BaseStampsTest, FindsNoChangeWhereThereIsNone) {
  EXPECT_EQ(Change(), "");
  Write("README.md", "text");
  EXPECT_EQ(Change(), "");
}

TEST_F(BaseStampsTest, FindsFilesThatAreChangedNewOrGone) {
  Touch("config.json");
  EXPECT_EQ(Change(), "config.json");
  before_ = BaseStamps::Of(directory_.path());
  Write("chat_template.jinja", "{{ messages }}");
  EXPECT_EQ(Change(), "chat_template.jinja");
  before_ = BaseStamps::Of(directory_.path());
  fs::remove(directory_.path() / "chat_template.jinja");
  EXPECT_EQ(Change(), "chat_template.jinja");
}

TEST_F(BaseStampsTest, TellsWeightsOverwrittenInPlaceFromReplacedOnes) {
  Touch("config.json");
  EXPECT_EQ(ChangeInPlace(), "");
  Write("new", "others!");
  fs::rename(directory_.path() / "new", directory_.path() / "model.safetensors");
  EXPECT_EQ(Change(), "config.json");
  EXPECT_EQ(ChangeInPlace(), "");
  before_ = BaseStamps::Of(directory_.path());
  Touch("model.safetensors");
  EXPECT_EQ(ChangeInPlace(), "model.safetensors");
}

TEST_F(BaseStampsTest, TextDigestFollowsEverythingButWeights) {
  const std::string digest = *before_.TextDigest();
  Write("model.safetensors", "other weights");
  EXPECT_EQ(*BaseStamps::Of(directory_.path()).TextDigest(), digest);
  Write("tokenizer.json", "{}");
  EXPECT_NE(*BaseStamps::Of(directory_.path()).TextDigest(), digest);
}

}  // namespace
}  // namespace mozgach
