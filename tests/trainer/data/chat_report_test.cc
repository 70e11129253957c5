#include "trainer/data/chat_report.h"

#include <cstdlib>
#include <fstream>

#include "gtest/gtest.h"

namespace mozgach {
namespace {
namespace fs = std::filesystem;

fs::path TinyBase() {
  const char* source = std::getenv("MOZGACH_SOURCE_DIR");
  return fs::path(source == nullptr ? "." : source) / "domains/bases/mozgach/tiny";
}

class ChatReportTest : public testing::Test {
 protected:
  ChatReportTest() {
    const std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    dir_ = fs::path(testing::TempDir()) / ("chat-report-" + name);
    fs::remove_all(dir_);
    fs::create_directories(dir_);
    for (const char* file : {"tokenizer.json", "tokenizer_config.json", "generation_config.json"}) {
      fs::copy_file(TinyBase() / file, dir_ / file);
    }
  }
  ~ChatReportTest() override { fs::remove_all(dir_); }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(dir_ / name) << text;
  }
  ChatReport WithTemplate(const std::string& source) {
    Write("chat_template.jinja", source);
    return InspectChat(dir_);
  }

  fs::path dir_;
};

TEST_F(ChatReportTest, TemplateThatEndsTurnsIsFine) {
  const ChatReport report = InspectChat(TinyBase());
  EXPECT_TRUE(report.has_template);
  EXPECT_FALSE(report.drops_answers);
  EXPECT_FALSE(report.has_no_end_token);
  EXPECT_EQ(report.error, "");
}

TEST_F(ChatReportTest, BaseWithoutATemplate) {
  Write("tokenizer_config.json", R"({"eos_token": "<|im_end|>"})");
  const ChatReport report = InspectChat(dir_);
  EXPECT_FALSE(report.has_template);
  EXPECT_EQ(report.error, "");
}

TEST_F(ChatReportTest, TemplateWithoutAnEndToken) {
  const ChatReport report =
      WithTemplate("{% for m in messages %}### {{ m.role }}:\n{{ m.content }}\n\n{% endfor %}");
  EXPECT_TRUE(report.has_template);
  EXPECT_TRUE(report.has_no_end_token);
  EXPECT_FALSE(report.drops_answers);
}

TEST_F(ChatReportTest, TemplateThatDropsTheAnswers) {
  const ChatReport report = WithTemplate(
      "{% for m in messages if m.role == 'user' %}{{ m.content }}<|im_end|>{% endfor %}");
  EXPECT_TRUE(report.drops_answers);
  EXPECT_FALSE(report.has_no_end_token);
}

TEST_F(ChatReportTest, OddBasesAreErrorsWithAReason) {
  EXPECT_NE(WithTemplate("{% for").error, "");
  EXPECT_NE(WithTemplate("{{ raise_exception('only one turn') }}").error.find("only one turn"),
            std::string::npos);
  EXPECT_NE(WithTemplate("{{ messages[9].content.x() }}").error, "");
  Write("chat_template.jinja", "{{ messages[0].content }}");
  Write("tokenizer.json", "{\"model\": 7}");
  EXPECT_NE(InspectChat(dir_).error, "");
  fs::remove(dir_ / "tokenizer.json");
  EXPECT_NE(InspectChat(dir_).error, "");
  EXPECT_EQ(InspectChat(dir_ / "nowhere").has_template, false);
}

}  // namespace
}  // namespace mozgach
