#include "worker/trainer/chat_inspector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/worker/temporary_folder.h"

namespace mozgach {
namespace {

class ChatInspectorTest : public ::testing::Test {
 protected:
  void Write(const std::string& name, const std::string& text) {
    std::ofstream(base_ / name) << text;
  }
  void WriteTemplate(const std::string& source) { Write("chat_template.jinja", source); }

  TemporaryFolder folder_;
  const std::filesystem::path base_ = folder_.path();
  ChatInspector inspector_;
};

TEST_F(ChatInspectorTest, ABaseWithoutATemplateHasNone) {
  EXPECT_FALSE(inspector_.Inspect(base_).has_template);
  EXPECT_EQ(inspector_.Inspect(base_).error, "");
}

TEST_F(ChatInspectorTest, LooksAgainWhenAFileHasChanged) {
  EXPECT_FALSE(inspector_.Inspect(base_).has_template);
  WriteTemplate("{{ messages }}");
  const ChatReport report = inspector_.Inspect(base_);
  EXPECT_TRUE(report.has_template);
  EXPECT_NE(report.error, "");  // the tokenizer is missing
}

TEST_F(ChatInspectorTest, ATemplateThatNeverEndsIsAnError) {
  WriteTemplate(
      "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}");
  EXPECT_NE(inspector_.Inspect(base_).error, "");
}

}  // namespace
}  // namespace mozgach
