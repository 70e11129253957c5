// Published templates against what transformers made of them (renderings.json: Jinja2 3.1.6 set up
// as transformers does).
#include <cstdlib>
#include <filesystem>
#include <map>

#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "trainer/chat/chat_template.h"

namespace mozgach {
namespace {
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

fs::path Folder() {
  const char* source = std::getenv("MOZGACH_SOURCE_DIR");
  return fs::path(source == nullptr ? "." : source) / ".." / "shared" / "data" / "chat_templates";
}

class RenderingsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(Folder() / "renderings.json")) {
      GTEST_SKIP() << "no published chat templates at " << Folder();
    }
    cases_ = Json::parse(*ReadFile(Folder() / "renderings.json"));
    ASSERT_GT(cases_.size(), 100u);
  }

  const ChatTemplate& Template(const std::string& name) {
    std::shared_ptr<const ChatTemplate>& found = templates_[name];
    if (found == nullptr) {
      const auto loaded =
          ChatTemplate::FromSource(*ReadFile(Folder() / name), {{"bos_token", "<bos>"}});
      EXPECT_TRUE(loaded.ok()) << name << ": " << loaded.status();
      found = *loaded;
    }
    return *found;
  }

  Json cases_;
  std::map<std::string, std::shared_ptr<const ChatTemplate>> templates_;
};

std::string NameOf(const Json& c) {
  return absl::StrCat(c.at("template").get<std::string>(), " ", c.at("case").get<std::string>(),
                      " ", c.at("variant").get<std::string>());
}

TEST_F(RenderingsTest, EveryPublishedTemplateRendersAsInTransformers) {
  for (const Json& c : cases_) {
    Json variables = c;
    for (const char* key : {"template", "case", "variant", "rendered", "error", "token_ids",
                            "assistant_char_spans"}) {
      variables.erase(key);
    }
    const auto text = Template(c.at("template")).RenderJson(variables);
    if (c.contains("error")) {
      EXPECT_EQ(std::string(text.status().message()), c.at("error").get<std::string>())
          << NameOf(c);
    } else {
      ASSERT_TRUE(text.ok()) << NameOf(c) << ": " << text.status();
      EXPECT_EQ(*text, c.at("rendered").get<std::string>()) << NameOf(c);
    }
  }
}

TEST_F(RenderingsTest, SegmentsJoinToTheSameTextAndHoldWhatEachMessageSays) {
  for (const Json& c : cases_) {
    if (!c.at("variant").get<std::string>().empty() || c.contains("error")) continue;
    std::vector<Message> messages;
    for (const Json& message : c.at("messages")) {
      messages.push_back({message.at("role"), message.at("content")});
    }
    const auto segments =
        Template(c.at("template")).Render(messages, c.at("add_generation_prompt").get<bool>());
    ASSERT_TRUE(segments.ok()) << NameOf(c) << ": " << segments.status();
    std::string joined;
    int before = -2;
    for (const Segment& segment : *segments) {
      EXPECT_NE(segment.message, before) << "neighbours of one origin are one segment";
      before = segment.message;
      joined += segment.text;
      if (segment.message < 0) continue;
      const std::string& content = messages.at(static_cast<size_t>(segment.message)).content;
      EXPECT_NE(content.find(segment.text), std::string::npos) << NameOf(c);
    }
    EXPECT_EQ(joined, c.at("rendered").get<std::string>()) << NameOf(c);
  }
}

TEST_F(RenderingsTest, AssistantSpansOfTrainingTemplatesHoldWhatTheAssistantSays) {
  int checked = 0;
  for (const Json& c : cases_) {
    if (!c.contains("assistant_char_spans") || c.contains("error")) continue;
    if (c.at("variant").get<std::string>() != "") continue;
    std::vector<Message> messages;
    for (const Json& message : c.at("messages")) {
      messages.push_back({message.at("role"), message.at("content")});
    }
    const auto segments =
        Template(c.at("template")).Render(messages, c.at("add_generation_prompt").get<bool>());
    ASSERT_TRUE(segments.ok());
    size_t offset = 0;
    for (const Segment& segment : *segments) {
      size_t characters = 0;
      for (const char byte : segment.text) characters += (byte & 0xC0) != 0x80;
      if (segment.message >= 0 &&
          messages[static_cast<size_t>(segment.message)].role == "assistant") {
        bool inside = false;
        for (const Json& span : c.at("assistant_char_spans")) {
          inside |= span[0].get<size_t>() <= offset && offset + characters <= span[1].get<size_t>();
        }
        EXPECT_TRUE(inside) << NameOf(c);
        ++checked;
      }
      offset += characters;
    }
  }
  EXPECT_GT(checked, 30);
}

TEST_F(RenderingsTest, LlamaTakesItsOwnDateAndOneThatIsGiven) {
  const auto source = ReadFile(Folder() / "llamacpp__meta-llama-Llama-3.2-3B-Instruct.jinja");
  ASSERT_TRUE(source.ok());
  const auto llama = ChatTemplate::FromSource(*source, {{"bos_token", "<|begin_of_text|>"}});
  ASSERT_TRUE(llama.ok()) << llama.status();
  const std::string rest =
      "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nhi<|eot_id|>"
      "<|start_header_id|>assistant<|end_header_id|>\n\nho<|eot_id|>";
  const std::string head =
      "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n"
      "Cutting Knowledge Date: December 2023\nToday Date: ";
  const Json messages = Json::parse(
      R"([{"role": "user", "content": "hi"}, {"role": "assistant", "content": " ho "}])");
  EXPECT_EQ(*(*llama)->RenderJson({{"messages", messages}}), head + "26 Jul 2024\n\n" + rest);
  EXPECT_EQ(*(*llama)->RenderJson({{"messages", messages}, {"date_string", "1 May 2025"}}),
            head + "1 May 2025\n\n" + rest);
}

TEST_F(RenderingsTest, EveryTemplateOfTheFolderIsUnderstood) {
  for (const auto& entry : fs::directory_iterator(Folder())) {
    if (entry.path().extension() != ".jinja") continue;
    const auto loaded = ChatTemplate::FromSource(*ReadFile(entry.path()), {{"bos_token", "<s>"}});
    ASSERT_TRUE(loaded.ok()) << entry.path() << ": " << loaded.status();
    const auto segments = (*loaded)->Render({{"user", "q"}, {"assistant", "a"}}, false);
    EXPECT_TRUE(segments.ok()) << entry.path() << ": " << segments.status();
  }
}

}  // namespace
}  // namespace mozgach
