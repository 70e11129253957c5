#include "trainer/tokenizer/token_roles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/trainer/tokenizer/tiny_tokenizer.h"

namespace mozgach {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A base whose tokens <s>, </s> and <pad> are 300, 301 and 302.
class TokenRolesTest : public ::testing::Test {
 protected:
  TokenRolesTest() {
    file_["added_tokens"] = json::array({AddedTokenJson(300, "<s>", {"special"}),
                                         AddedTokenJson(301, "</s>", {"special"}),
                                         AddedTokenJson(302, "<pad>", {"special"})});
  }

  absl::StatusOr<std::shared_ptr<const Tokenizer>> Load() {
    base_.WriteJson("tokenizer.json", file_);
    return Tokenizer::Load(base_.path());
  }

  // The message that the base is refused with when it has this file.
  std::string Error(const std::string& name, const json& content) {
    const TemporaryBase other;
    other.WriteJson("tokenizer.json", file_);
    other.WriteJson(name, content);
    return std::string(Tokenizer::Load(other.path()).status().message());
  }

  void SetTemplate(const std::vector<std::string>& before) {
    json single = json::array();
    json specials = json::object();
    for (const std::string& token : before) {
      single.push_back({{"SpecialToken", {{"id", token}, {"type_id", 0}}}});
      specials[token] = {{"id", token}, {"ids", json::array({300})}};
    }
    single.push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
    file_["post_processor"] = {
        {"type", "TemplateProcessing"}, {"single", single}, {"special_tokens", specials}};
  }

  json file_ = WithVocabularySize(ByteLevelFile({}), 300);
  TemporaryBase base_;
};

TEST_F(TokenRolesTest, EndTokensAreReadInEverySpelling) {
  base_.WriteJson("generation_config.json", {{"eos_token_id", {301, -1, nullptr, 302.0}}});
  base_.WriteJson("config.json", {{"eos_token_id", -1}});
  EXPECT_THAT((*Load())->StopIds(), ElementsAre(301, 302));
  base_.WriteJson("generation_config.json", {{"eos_token_id", nullptr}});
  base_.WriteJson("config.json", {{"eos_token_id", 301.0}});
  EXPECT_THAT((*Load())->StopIds(), ElementsAre(301));
  for (const json& wrong : {json(2.5), json("2"), json(true), json(1e300)}) {
    EXPECT_THAT(Error("config.json", {{"eos_token_id", wrong}}), HasSubstr("eos_token_id"));
  }
}

TEST_F(TokenRolesTest, WithoutOtherFilesThereAreNone) {
  const auto tokenizer = *Load();
  EXPECT_EQ(tokenizer->BosId(), std::nullopt);
  EXPECT_EQ(tokenizer->EosId(), std::nullopt);
  EXPECT_EQ(tokenizer->PadId(), std::nullopt);
  EXPECT_EQ(tokenizer->BosToPrepend(), std::nullopt);
  EXPECT_THAT(tokenizer->StopIds(), IsEmpty());
}

TEST_F(TokenRolesTest, TokensAreNamedByTextOrByObject) {
  base_.WriteJson("tokenizer_config.json", {{"bos_token", "<s>"},
                                            {"eos_token", {{"content", "</s>"}, {"special", true}}},
                                            {"pad_token", nullptr}});
  const auto tokenizer = *Load();
  EXPECT_EQ(tokenizer->BosId(), 300);
  EXPECT_EQ(tokenizer->EosId(), 301);
  EXPECT_EQ(tokenizer->PadId(), std::nullopt);
  EXPECT_EQ(tokenizer->BosToPrepend(), std::nullopt);
}

TEST_F(TokenRolesTest, StopsAreGatheredFromAllFilesOnce) {
  base_.WriteJson("tokenizer_config.json", {{"eos_token", "</s>"}});
  base_.WriteJson("generation_config.json", {{"eos_token_id", json::array({302, 301})}});
  base_.WriteJson("config.json", {{"eos_token_id", 303}});
  EXPECT_THAT((*Load())->StopIds(), ElementsAre(302, 301, 303));
}

TEST_F(TokenRolesTest, AddBosTokenCountsWhereThereIsNoPostProcessor) {
  for (const bool add_bos_token : {false, true}) {
    base_.WriteJson("tokenizer_config.json",
                    {{"bos_token", "<s>"}, {"add_bos_token", add_bos_token}});
    EXPECT_EQ((*Load())->BosToPrepend().has_value(), add_bos_token);
  }
}

// transformers 5 does not read add_bos_token where there is a tokenizer.json.
TEST_F(TokenRolesTest, AddBosTokenDoesNotCountBesideAPostProcessor) {
  for (const bool add_bos_token : {false, true}) {
    base_.WriteJson("tokenizer_config.json",
                    {{"bos_token", "<s>"}, {"add_bos_token", add_bos_token}});
    SetTemplate({"<s>"});
    EXPECT_EQ((*Load())->BosToPrepend(), 300);
    SetTemplate({});
    EXPECT_EQ((*Load())->BosToPrepend(), std::nullopt);
  }
}

TEST_F(TokenRolesTest, ATokenizerClassHasDefaultsForWhatTheFilesDoNotMention) {
  file_["model"]["vocab"]["<|endoftext|>"] = 300;
  file_["added_tokens"] = json::array({AddedTokenJson(301, "<s>", {"special"})});
  base_.WriteJson("config.json", {{"model_type", "qwen2"}});
  EXPECT_EQ((*Load())->EosId(), 300);
  EXPECT_TRUE((*Load())->IsSpecial(300));
  base_.WriteJson("tokenizer_config.json", {{"eos_token", "<s>"}});
  EXPECT_EQ((*Load())->EosId(), 301);
  EXPECT_EQ((*Load())->PadId(), 300);
  base_.WriteJson("tokenizer_config.json", {{"eos_token", nullptr}});
  EXPECT_EQ((*Load())->EosId(), std::nullopt);
  // A token that the base does not have is not added.
  base_.WriteJson("config.json", json::object());
  base_.WriteJson("tokenizer_config.json", {{"tokenizer_class", "GemmaTokenizerFast"}});
  EXPECT_EQ((*Load())->EosId(), std::nullopt);
  // LlamaTokenizer has no defaults for a byte-level tokenizer.json.
  base_.WriteJson("tokenizer_config.json", {{"tokenizer_class", "LlamaTokenizer"}});
  EXPECT_EQ((*Load())->BosId(), std::nullopt);
}

TEST_F(TokenRolesTest, ATemplateMayStandInASequence) {
  SetTemplate({"<s>"});
  const json steps = json::array({json{{"type", "ByteLevel"}}, file_["post_processor"]});
  file_["post_processor"] = {{"type", "Sequence"}, {"processors", steps}};
  EXPECT_EQ((*Load())->BosToPrepend(), 300);
}

TEST_F(TokenRolesTest, MoreThanOneTokenBeforeTheTextIsAnError) {
  SetTemplate({"<s>", "</s>"});
  EXPECT_THAT(std::string(Load().status().message()), HasSubstr("more than one token"));
}

TEST_F(TokenRolesTest, WhatCannotBeMetIsAnErrorThatNamesTheFile) {
  EXPECT_THAT(Error("tokenizer_config.json", {{"eos_token", 7}}),
              HasSubstr("tokenizer_config.json: eos_token: expected a string"));
  EXPECT_THAT(Error("tokenizer_config.json", {{"split_special_tokens", true}}),
              HasSubstr("tokenizer_config.json: split_special_tokens: true is not supported"));
  EXPECT_THAT(Error("tokenizer_config.json", {{"add_bos_token", true}}),
              HasSubstr("bos_token is missing"));
  EXPECT_THAT(Error("generation_config.json", {{"eos_token_id", "x"}}),
              HasSubstr("generation_config.json: eos_token_id"));
  EXPECT_THAT(Error("config.json", {{"eos_token_id", json::array({"x"})}}),
              HasSubstr("config.json"));
  EXPECT_THAT(Error("config.json", {{"eos_token_id", 4294967296}}), HasSubstr("config.json"));
  EXPECT_THAT(Error("config.json", json::array()), HasSubstr("expected an object"));
}

}  // namespace
}  // namespace mozgach
