#include "trainer/chat/chat_template.h"

#include <unistd.h>

#include <filesystem>

#include "common/files.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace mozgach {
namespace {
namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

MATCHER_P2(Is, message, text, "") { return arg.message == message && arg.text == text; }

const std::vector<Message> kTalk = {{"user", "hi"}, {"assistant", "ho"}};

class ChatTemplateTest : public testing::Test {
 protected:
  ChatTemplateTest() {
    std::string pattern = (fs::temp_directory_path() / "mozgach_chat_XXXXXX").string();
    base_ = ::mkdtemp(pattern.data());
  }
  ~ChatTemplateTest() override { fs::remove_all(base_); }

  void Write(const std::string& name, const std::string& bytes) {
    ASSERT_TRUE(WriteFileAtomically(base_ / name, bytes).ok());
  }

  std::string Loaded(const std::string& choice = "auto") {
    const auto chat_template = ChatTemplate::Load(base_, choice);
    if (!chat_template.ok()) return std::string(chat_template.status().message());
    if (*chat_template == nullptr) return "none";
    const auto segments = (*chat_template)->Render(kTalk, false);
    if (!segments.ok()) return std::string(segments.status().message());
    std::string text;
    for (const Segment& segment : *segments) text += segment.text;
    return text;
  }

  fs::path base_;
};

TEST_F(ChatTemplateTest, BaseWithoutATemplateHasNone) {
  EXPECT_EQ(Loaded(), "none");
  Write("tokenizer_config.json", R"({"chat_template": null})");
  EXPECT_EQ(Loaded(), "none");
}

TEST_F(ChatTemplateTest, TemplateOfTheConfigGetsItsSpecialTokens) {
  Write(
      "tokenizer_config.json",
      R"({"chat_template": "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}{{ pad_token }}",
            "bos_token": "<s>", "eos_token": {"content": "</s>", "special": true},
            "pad_token": null})");
  EXPECT_EQ(Loaded(), "<s>hi</s>");
}

TEST_F(ChatTemplateTest, OfSeveralTemplatesTheDefaultIsTaken) {
  Write("tokenizer_config.json",
        R"({"chat_template": [{"name": "tool_use", "template": "t"},
                              {"name": "default", "template": "d"}]})");
  EXPECT_EQ(Loaded(), "d");
  Write("tokenizer_config.json", R"({"chat_template": [{"name": "tool_use", "template": "t"}]})");
  EXPECT_THAT(Loaded(), HasSubstr("tokenizer_config.json: chat_template is neither"));
}

TEST_F(ChatTemplateTest, TemplateFileComesBeforeTheConfig) {
  Write("tokenizer_config.json", R"({"chat_template": "config", "bos_token": "<s>"})");
  Write("chat_template.jinja", "{{ bos_token }}file\n");
  EXPECT_EQ(Loaded(), "<s>file");
}

TEST_F(ChatTemplateTest, BuiltInsTakeTheBasesPlace) {
  Write("chat_template.jinja", "file");
  EXPECT_EQ(Loaded("chatml"),
            "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\nho<|im_end|>\n");
  EXPECT_EQ(Loaded("none"), "none");
  EXPECT_THAT(Loaded("vicuna"), HasSubstr("unknown chat template 'vicuna': auto"));
}

TEST_F(ChatTemplateTest, FilesThatAreBrokenAreNamed) {
  Write("tokenizer_config.json", "{");
  EXPECT_THAT(Loaded(), HasSubstr("tokenizer_config.json: no JSON"));
  Write("tokenizer_config.json", "[]");
  EXPECT_THAT(Loaded(), HasSubstr("tokenizer_config.json: must be a JSON object"));
  Write("tokenizer_config.json", R"({"chat_template": "{% if %}"})");
  EXPECT_THAT(Loaded(), HasSubstr("tokenizer_config.json: line 1: expected a value"));
  Write("chat_template.jinja", "\n{{ 'a }}");
  EXPECT_THAT(Loaded(), HasSubstr("chat_template.jinja: line 2: a string has no end"));
}

TEST_F(ChatTemplateTest, SegmentsTellWhoSaidWhat) {
  const auto chatml = *ChatTemplate::Load("", "chatml");
  EXPECT_THAT(*chatml->Render(kTalk, true),
              ElementsAre(Is(-1, "<|im_start|>user\n"), Is(0, "hi"),
                          Is(-1, "<|im_end|>\n<|im_start|>assistant\n"), Is(1, "ho"),
                          Is(-1, "<|im_end|>\n<|im_start|>assistant\n")));
}

TEST_F(ChatTemplateTest, WhatPeopleWroteNeverBecomesTheTemplatesOwn) {
  const auto chat_template = *ChatTemplate::FromSource(
      "{% set parts = messages[0].content.split('|') %}{% for p in parts %}"
      "{{ p | trim | upper if loop.first else p.replace('c', '<>')[::-1] }}{% endfor %}"
      "{{ [messages[1].content] | tojson }}{{ messages | map(attribute='content') | join('+') }}");
  EXPECT_THAT(*chat_template->Render({{"user", " a |bc"}, {"assistant", "\"q\""}}, false),
              ElementsAre(Is(0, "A"), Is(-1, "><"), Is(0, "b"), Is(-1, "[\""), Is(1, "\\\"q\\\""),
                          Is(-1, "\"]"), Is(0, " a |bc"), Is(-1, "+"), Is(1, "\"q\"")));
}

TEST_F(ChatTemplateTest, RenderingIsTheSameFromAnyThreadAnyNumberOfTimes) {
  const auto chat_template = *ChatTemplate::FromSource(
      "{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{{ ns.n }}{% "
      "endfor %}");
  for (int i = 0; i < 3; ++i)
    EXPECT_THAT(*chat_template->Render(kTalk, false), ElementsAre(Is(-1, "12")));
}

}  // namespace
}  // namespace mozgach
