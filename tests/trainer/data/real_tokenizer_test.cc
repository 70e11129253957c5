// Rows through real tokenizers and templates: the ids are those that transformers gives, the mask
// covers what the assistant says.
#include <cstdlib>
#include <filesystem>

#include "absl/strings/match.h"
#include "common/files.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "trainer/data/example.h"

namespace mozgach {
namespace {
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

fs::path Source() {
  const char* source = std::getenv("MOZGACH_SOURCE_DIR");
  return source == nullptr ? "." : source;
}

fs::path Shared() { return Source() / ".." / "shared" / "data"; }

std::vector<Message> MessagesOf(const Json& c) {
  std::vector<Message> messages;
  for (const Json& message : c.at("messages")) {
    messages.push_back({message.at("role"), message.at("content")});
  }
  return messages;
}

class RealTokenizerTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* needed : {"tokenizers/qwen2.5", "tokenizers/qwen3", "chat_templates"}) {
      if (!fs::exists(Shared() / needed)) GTEST_SKIP() << "not there: " << Shared() / needed;
    }
    for (const char* name : {"qwen2.5", "qwen3"}) {
      const auto loaded = Tokenizer::Load(Shared() / "tokenizers" / name);
      ASSERT_TRUE(loaded.ok()) << loaded.status();
      tokenizers_.push_back(*loaded);
    }
    cases_ = Json::parse(*ReadFile(Shared() / "chat_templates" / "renderings.json"));
  }

  const std::shared_ptr<const Tokenizer>& TokenizerOf(const Json& c) const {
    const bool third = c.at("template").get<std::string>().find("wen3") != std::string::npos;
    return tokenizers_[third ? 1 : 0];
  }

  ExampleBuilder BuilderOf(const Json& c) const {
    const auto source = ReadFile(Shared() / "chat_templates" / c.at("template").get<std::string>());
    return ExampleBuilder(TokenizerOf(c), *ChatTemplate::FromSource(*source), DataSpec());
  }

  // Cases with ids, rendered without further variables.
  std::vector<Json> CasesWithIds(bool special_in_text) const {
    std::vector<Json> chosen;
    for (const Json& c : cases_) {
      if (!c.contains("token_ids") || c.at("variant") != "") continue;
      if ((c.at("case") == "special-in-text") == special_in_text) chosen.push_back(c);
    }
    return chosen;
  }

  std::vector<std::shared_ptr<const Tokenizer>> tokenizers_;
  Json cases_;
};

TEST_F(RealTokenizerTest, RowsAndQuestionsHaveTheIdsOfTransformers) {
  int rows = 0;
  int questions = 0;
  for (const Json& c : CasesWithIds(/*special_in_text=*/false)) {
    Row row;
    row.messages = MessagesOf(c);
    std::vector<int32_t> ids;
    if (c.at("add_generation_prompt").get<bool>()) {
      row.messages.push_back({"assistant", "an answer"});
      ids = BuilderOf(c).Ask(row)->prompt;
      ++questions;
    } else if (row.messages.back().role == "assistant") {
      ids = BuilderOf(c).Build(row)->ids;
      ++rows;
    } else {
      continue;
    }
    EXPECT_EQ(ids, c.at("token_ids").get<std::vector<int32_t>>())
        << c.at("template") << c.at("case");
  }
  EXPECT_GT(rows, 20);
  EXPECT_GT(questions, 20);
}

TEST_F(RealTokenizerTest, SpecialTokenThatAPersonWroteIsNoSpecialToken) {
  for (const Json& c : CasesWithIds(/*special_in_text=*/true)) {
    Row row;
    row.messages = MessagesOf(c);
    const auto example = BuilderOf(c).Build(row);
    ASSERT_TRUE(example.ok()) << example.status();
    const auto published = c.at("token_ids").get<std::vector<int32_t>>();
    const int32_t end = *TokenizerOf(c)->TokenId("<|im_end|>");
    EXPECT_EQ(std::count(example->ids.begin(), example->ids.end(), end) + 1,
              std::count(published.begin(), published.end(), end));
    EXPECT_EQ(TokenizerOf(c)->Decode(example->ids, /*skip_special=*/false),
              c.at("rendered").get<std::string>());
  }
}

TEST_F(RealTokenizerTest, TrainedTokensAreTheAssistantsWordsAndTheEndOfItsTurns) {
  int checked = 0;
  int thoughts = 0;
  for (const Json& c : CasesWithIds(/*special_in_text=*/false)) {
    const std::string name = c.at("case");
    if (name != "user-assistant" && name != "russian-legal") continue;
    Row row;
    row.messages = MessagesOf(c);
    if (row.messages.back().role != "assistant") continue;
    const auto example = BuilderOf(c).Build(row);
    ASSERT_TRUE(example.ok()) << example.status();
    std::vector<int32_t> trained;
    for (size_t i = 0; i < example->ids.size(); ++i) {
      if (example->trained[i]) trained.push_back(example->ids[i]);
    }
    // Qwen3 writes an empty thought, which its generation prompt does not hold.
    const std::string rendered = c.at("rendered");
    const bool thinks = absl::StrContains(rendered, "<think>\n\n</think>\n\n");
    EXPECT_EQ(
        TokenizerOf(c)->Decode(trained, /*skip_special=*/false),
        (thinks ? "<think>\n\n</think>\n\n" : "") + row.messages.back().content + "<|im_end|>");
    thoughts += thinks ? 1 : 0;
    ++checked;
  }
  EXPECT_GT(checked, 10);
  EXPECT_GT(thoughts, 0);
}

std::string TrainedText(const Tokenizer& tokenizer, const Example& example) {
  std::vector<int32_t> trained;
  for (size_t i = 0; i < example.ids.size(); ++i) {
    if (example.trained[i]) trained.push_back(example.ids[i]);
  }
  return tokenizer.Decode(trained, /*skip_special=*/false);
}

// Qwen3's template leaves out what earlier turns thought: what two messages are rendered to is no
// prefix of what four are.
TEST_F(RealTokenizerTest, MasksNeedNoPrefixesAndThoughtsAreTrainedWithTheirTags) {
  const auto source = ReadFile(Shared() / "chat_templates" / "llamacpp__Qwen-Qwen3-0.6B.jinja");
  const ExampleBuilder builder(tokenizers_[1], *ChatTemplate::FromSource(*source), DataSpec());
  Row row;
  row.messages = {{"user", "1+1?"}, {"assistant", "<think>\none and one\n</think>\n\n2"}};
  const auto first = builder.Build(row);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(TrainedText(*tokenizers_[1], *first), "<think>\none and one\n</think>\n\n2<|im_end|>");
  row.messages.push_back({"user", "2+2?"});
  row.messages.push_back({"assistant", "4"});
  const auto both = builder.Build(row);
  ASSERT_TRUE(both.ok()) << both.status();
  // The empty thought is the model's to say: the generation prompt ends before it.
  EXPECT_EQ(TrainedText(*tokenizers_[1], *both), "2<|im_end|><think>\n\n</think>\n\n4<|im_end|>");
  EXPECT_FALSE(std::equal(first->ids.begin(), first->ids.end(), both->ids.begin()));
}

TEST_F(RealTokenizerTest, AnEndOfTextThatIsMeantIsTrainedWhereItIsAlsoThePad) {
  const auto& tokenizer = tokenizers_[0];
  ASSERT_TRUE(tokenizer->PadId().has_value());
  const auto loaded = ChatTemplate::FromSource(
      "{% for m in messages %}{{ m.role }}: {{ m.content }}<|endoftext|>\n{% endfor %}");
  Row row;
  row.messages = {{"user", "Hi"}, {"assistant", "Ho"}};
  const auto example = ExampleBuilder(tokenizer, *loaded, DataSpec()).Build(row);
  ASSERT_TRUE(example.ok()) << example.status();
  EXPECT_EQ(*tokenizer->PadId(), *tokenizer->TokenId("<|endoftext|>"));
  EXPECT_EQ(TrainedText(*tokenizer, *example), " Ho<|endoftext|>");
}

// Mistral's tokenizer puts a BOS before a text, Gemma's and Llama's templates write one.
TEST_F(RealTokenizerTest, ATemplateWithABosAndATokenizerWithOneGiveOne) {
  if (!fs::exists(Shared() / "tokenizers" / "mistral")) GTEST_SKIP() << "no Mistral tokenizer";
  const auto tokenizer = Tokenizer::Load(Shared() / "tokenizers" / "mistral");
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  ASSERT_EQ((*tokenizer)->BosToPrepend(), (*tokenizer)->TokenId("<s>"));
  Row row;
  row.messages = {{"user", "Hi"}, {"assistant", "Ho"}};
  for (const char* name : {"trl__gemma3.jinja", "llamacpp__meta-llama-Llama-3.2-3B-Instruct.jinja",
                           "llamacpp__Qwen-Qwen2.5-7B-Instruct.jinja"}) {
    const auto source = ReadFile(Shared() / "chat_templates" / name);
    const auto loaded = ChatTemplate::FromSource(*source, {{"bos_token", "<s>"}});
    ASSERT_TRUE(loaded.ok()) << name << loaded.status();
    const auto example = ExampleBuilder(*tokenizer, *loaded, DataSpec()).Build(row);
    ASSERT_TRUE(example.ok()) << name << example.status();
    EXPECT_EQ(example->ids.front(), *(*tokenizer)->TokenId("<s>")) << name;
    EXPECT_EQ(std::count(example->ids.begin(), example->ids.end(), example->ids.front()), 1)
        << name;
  }
}

TEST(EmbeddedBaseTest, RowsOfAnExampleDomainAreReadAndTrained) {
  const fs::path base = Source() / "domains" / "bases" / "mozgach" / "tiny";
  if (!fs::exists(base / "tokenizer.json")) GTEST_SKIP() << "not there: " << base;
  const auto tokenizer = Tokenizer::Load(base);
  const auto chat_template = ChatTemplate::Load(base, "auto");
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  ASSERT_TRUE(chat_template.ok()) << chat_template.status();
  ASSERT_NE(*chat_template, nullptr);
  const auto row =
      ParseRow(R"({"instruction": "Say", "input": "2 May", "output": "02.05."})", RowFormat::kAuto);
  ASSERT_TRUE(row.ok());
  const auto example = ExampleBuilder(*tokenizer, *chat_template, DataSpec()).Build(*row);
  ASSERT_TRUE(example.ok()) << example.status();
  std::vector<int32_t> trained;
  for (size_t i = 0; i < example->ids.size(); ++i) {
    if (example->trained[i]) trained.push_back(example->ids[i]);
  }
  EXPECT_EQ((*tokenizer)->Decode(example->ids, false),
            "<|im_start|>user\nSay\n2 May<|im_end|>\n<|im_start|>assistant\n02.05.<|im_end|>\n");
  EXPECT_EQ((*tokenizer)->Decode(trained, false), "02.05.<|im_end|>");
}

}  // namespace
}  // namespace mozgach
