#include "trainer/tokenizer/added_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/trainer/tokenizer/tiny_tokenizer.h"

namespace mozgach {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Bytes are their own ids; what is added here begins at 300.
json FileWith(const std::vector<json>& added) {
  json file = WithVocabularySize(ByteLevelFile({}), 300);
  file["added_tokens"] = added;
  return file;
}

TEST(AddedTokensTest, TheLongestOfSeveralThatBeginAtOnePlaceIsTaken) {
  const auto tokenizer = MustLoad(FileWith(
      {AddedTokenJson(300, "<a>", {"special"}), AddedTokenJson(301, "<a>b", {"special"})}));
  EXPECT_THAT(MustEncode(*tokenizer, "<a>b<a><"), ElementsAre(301, 300, '<'));
}

TEST(AddedTokensTest, SpecialTokensInOrdinaryTextAreCharacters) {
  const auto tokenizer =
      MustLoad(FileWith({AddedTokenJson(300, "<s>", {"special"}), AddedTokenJson(301, "<t>", {})}));
  EXPECT_THAT(MustEncode(*tokenizer, "<s><t>", SpecialTokens::kParse), ElementsAre(300, 301));
  EXPECT_THAT(MustEncode(*tokenizer, "<s><t>", SpecialTokens::kAsText),
              ElementsAre('<', 's', '>', 301));
}

TEST(AddedTokensTest, StrippingTakesInWhiteSpaceOnItsSideOnly) {
  const auto tokenizer = MustLoad(
      FileWith({AddedTokenJson(300, "<l>", {"lstrip"}), AddedTokenJson(301, "<r>", {"rstrip"})}));
  EXPECT_THAT(MustEncode(*tokenizer, "a \t<l> b"), ElementsAre('a', 300, ' ', 'b'));
  EXPECT_THAT(MustEncode(*tokenizer, "a <r>\n\xC2\xA0 b"), ElementsAre('a', ' ', 301, 'b'));
  EXPECT_THAT(MustEncode(*tokenizer, "<r>  <l>"), ElementsAre(301, 300));
}

TEST(AddedTokensTest, ASingleWordStandsBetweenNoWordCharacters) {
  const auto tokenizer = MustLoad(FileWith({AddedTokenJson(300, "ab", {"single_word"})}));
  EXPECT_THAT(MustEncode(*tokenizer, "ab-ab"), ElementsAre(300, '-', 300));
  EXPECT_THAT(MustEncode(*tokenizer, "ab_"), ElementsAre('a', 'b', '_'));
  EXPECT_THAT(MustEncode(*tokenizer, "cab"), ElementsAre('c', 'a', 'b'));
}

TEST(AddedTokensTest, ANormalizedTokenIsFoundInItsNormalizedForm) {
  json file = FileWith(
      {AddedTokenJson(300, "e\u0301", {"normalized"}), AddedTokenJson(301, "o\u0301", {})});
  file["normalizer"] = {{"type", "NFC"}};
  const auto tokenizer = MustLoad(file);
  EXPECT_THAT(MustEncode(*tokenizer, "\u00E9"), ElementsAre(300));
  EXPECT_THAT(MustEncode(*tokenizer, "\u00F3"), ElementsAre(0xC3, 0xB3));
  EXPECT_THAT(MustEncode(*tokenizer, "o\u0301"), ElementsAre(301));
}

TEST(AddedTokensTest, AnIdThatAnotherTokenHasIsAnError) {
  const auto error = [](int id, const std::string& content) {
    const json file = FileWith({AddedTokenJson(300, "<x>", {}), AddedTokenJson(id, content, {})});
    return std::string(LoadFile(file).status().message());
  };
  EXPECT_THAT(error(300, "<y>"), HasSubstr("added_tokens[1]: token '<y>': id 300 is already"));
  EXPECT_THAT(error(301, "<x>"), HasSubstr("is there twice"));
  EXPECT_THAT(error('a', "<y>"), HasSubstr("added_tokens[1].id: 97 is 'a' in model.vocab"));
  EXPECT_THAT(error(301, "a"), HasSubstr("'a' has id 97 in model.vocab"));
  EXPECT_THAT(error(-1, "<y>"), HasSubstr("is not in [0,"));
}

TEST(AddedTokensTest, AnIdThatLeavesAGapIsReplacedByTheNextOne) {
  const auto tokenizer =
      MustLoad(FileWith({AddedTokenJson(300, "<a>", {}), AddedTokenJson(900, "<b>", {}),
                         AddedTokenJson(500, "<c>", {})}));
  EXPECT_THAT(MustEncode(*tokenizer, "<a><b><c>"), ElementsAre(300, 301, 302));
  EXPECT_EQ(tokenizer->VocabularySize(), 303);
}

TEST(AddedTokensTest, WhiteSpaceThatManyTokensTakeInIsLookedAtOnce) {
  const auto tokenizer = MustLoad(FileWith({AddedTokenJson(300, "\n", {"rstrip"})}));
  EXPECT_EQ(MustEncode(*tokenizer, std::string(1'000'000, '\n')).size(), 1'000'000u);
}

}  // namespace
}  // namespace mozgach
