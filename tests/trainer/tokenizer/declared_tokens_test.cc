#include "trainer/tokenizer/declared_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/trainer/tokenizer/tiny_tokenizer.h"

namespace mozgach {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A base with the tokens <s> (300) and </s> (301), which is not flagged special.
class DeclaredTokensTest : public ::testing::Test {
 protected:
  DeclaredTokensTest() {
    json file = WithVocabularySize(ByteLevelFile({}), 300);
    file["added_tokens"] =
        json::array({AddedTokenJson(300, "<s>", {"special"}), AddedTokenJson(301, "</s>", {})});
    base_.WriteJson("tokenizer.json", file);
  }

  std::shared_ptr<const Tokenizer> Load() {
    auto tokenizer = Tokenizer::Load(base_.path());
    EXPECT_TRUE(tokenizer.ok()) << tokenizer.status();
    return *tokenizer;
  }
  std::string Error(const std::string& name, const json& content) {
    base_.WriteJson(name, content);
    const auto tokenizer = Tokenizer::Load(base_.path());
    base_.WriteJson(name, json::object());
    return std::string(tokenizer.status().message());
  }

  TemporaryBase base_;
};

TEST_F(DeclaredTokensTest, SpecialTokensMapNamesTokensAndReplacesTheConfigs) {
  base_.WriteJson("tokenizer_config.json", {{"eos_token", "<s>"}, {"pad_token", "<s>"}});
  base_.WriteJson("special_tokens_map.json",
                  {{"eos_token", {{"content", "</s>"}}}, {"pad_token", nullptr}});
  const auto tokenizer = Load();
  EXPECT_EQ(tokenizer->EosId(), 301);
  EXPECT_EQ(tokenizer->PadId(), std::nullopt);
}

TEST_F(DeclaredTokensTest, NamedTokenIsSpecialWhateverItsFlag) {
  EXPECT_FALSE(Load()->IsSpecial(301));
  base_.WriteJson("tokenizer_config.json", {{"eos_token", "</s>"}});
  EXPECT_TRUE(Load()->IsSpecial(301));
}

TEST_F(DeclaredTokensTest, NewTokensGetTheNextIdsAndWordsOfTheVocabularyKeepTheirs) {
  base_.WriteJson("added_tokens.json", {{"<tool>", 900}, {"<call>", 800}, {"Q", 700}});
  base_.WriteJson("tokenizer_config.json", {{"additional_special_tokens", json::array({"<x>"})}});
  const auto tokenizer = Load();
  EXPECT_THAT(MustEncode(*tokenizer, "<call>Q<tool><x>"), ElementsAre(302, 'Q', 303, 304));
  EXPECT_FALSE(tokenizer->IsSpecial(302));
  EXPECT_TRUE(tokenizer->IsSpecial(304));
}

TEST_F(DeclaredTokensTest, AddedTokensDecoderReplacesFlagsAndTheOtherFiles) {
  base_.WriteJson("special_tokens_map.json", {{"eos_token", "</s>"}});
  base_.WriteJson("added_tokens.json", {{"<tool>", 302}});
  base_.WriteJson("tokenizer_config.json",
                  {{"added_tokens_decoder",
                    {{"300", {{"content", "<s>"}, {"lstrip", true}, {"special", true}}}}}});
  const auto tokenizer = Load();
  EXPECT_EQ(tokenizer->EosId(), std::nullopt);
  EXPECT_EQ(tokenizer->TokenId("<tool>"), std::nullopt);
  EXPECT_THAT(MustEncode(*tokenizer, "a  <s>"), ElementsAre('a', 300));
}

TEST_F(DeclaredTokensTest, EmptyTextNamesNoToken) {
  base_.WriteJson("special_tokens_map.json", {{"eos_token", ""}});
  base_.WriteJson("tokenizer_config.json",
                  {{"extra_special_tokens", {{"image_token", "<image>"}}}, {"bos_token", "<s>"}});
  const auto declared = DeclaredTokens::Read(base_.path());
  ASSERT_TRUE(declared.ok()) << declared.status();
  EXPECT_EQ(declared->Text("eos_token"), std::nullopt);
  EXPECT_EQ(declared->Text("bos_token"), "<s>");
  EXPECT_EQ(declared->Texts().at("image_token"), "<image>");
}

TEST_F(DeclaredTokensTest, WrongFilesAreErrorsThatNameThem) {
  EXPECT_THAT(Error("special_tokens_map.json", json::array()),
              HasSubstr("special_tokens_map.json: expected an object"));
  EXPECT_THAT(Error("special_tokens_map.json", {{"eos_token", json::array()}}),
              HasSubstr("special_tokens_map.json: eos_token: expected a string"));
  EXPECT_THAT(Error("added_tokens.json", {{"<x>", "7"}}),
              HasSubstr("added_tokens.json: <x>: expected the token's id"));
  EXPECT_THAT(Error("tokenizer_config.json", {{"added_tokens_decoder", {{"x", json::object()}}}}),
              HasSubstr("added_tokens_decoder: 'x' is not an id"));
  EXPECT_THAT(Error("tokenizer_config.json", {{"extra_special_tokens", "<x>"}}),
              HasSubstr("extra_special_tokens: expected a list"));
}

}  // namespace
}  // namespace mozgach
