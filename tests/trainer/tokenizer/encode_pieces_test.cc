#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/trainer/tokenizer/tiny_tokenizer.h"

namespace mozgach {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr SpecialTokens kParse = SpecialTokens::kParse;
constexpr SpecialTokens kAsText = SpecialTokens::kAsText;

struct Encoded {
  std::vector<int32_t> ids;
  std::vector<int32_t> pieces;
};

Encoded EncodePieces(const Tokenizer& tokenizer, const std::vector<Tokenizer::Piece>& pieces) {
  Encoded encoded;
  const absl::Status status = tokenizer.EncodePieces(pieces, &encoded.ids, &encoded.pieces);
  EXPECT_TRUE(status.ok()) << status;
  return encoded;
}

// Bytes are their own ids, "ab" is 256, "abc" 257.
std::shared_ptr<const Tokenizer> LoadLetters() {
  json file = WithVocabularySize(ByteLevelFile({{"a", "b"}, {"ab", "c"}}), 300);
  file["added_tokens"] =
      json::array({AddedTokenJson(300, "<s>", {"special"}), AddedTokenJson(301, "<t>", {})});
  return MustLoad(file);
}

// "▁" is 0, "a" 1, "b" 2, "▁a" 3, "▁b" 4.
json MarkedWords() {
  return CharacterFile({"\u2581", "a", "b"}, {{"\u2581", "a"}, {"\u2581", "b"}});
}

TEST(EncodePiecesTest, OrdinaryTextIsEncodedAtOnceAcrossBorders) {
  const auto tokenizer = LoadLetters();
  const Encoded encoded =
      EncodePieces(*tokenizer, {{"xa", kParse}, {"b", kAsText}, {"cab", kParse}});
  EXPECT_THAT(encoded.ids, ElementsAre('x', 257, 256));
  EXPECT_THAT(encoded.pieces, ElementsAre(0, 2, 2));
}

TEST(EncodePiecesTest, AMergedTokenBelongsToThePieceItEndsIn) {
  const auto tokenizer = LoadLetters();
  const Encoded encoded =
      EncodePieces(*tokenizer, {{"a", kParse}, {"b", kAsText}, {"c", kParse}, {"-ab", kAsText}});
  EXPECT_THAT(encoded.ids, ElementsAre(257, '-', 256));
  EXPECT_THAT(encoded.pieces, ElementsAre(2, 3, 3));
}

TEST(EncodePiecesTest, SpecialTokensCountOnlyInPiecesThatParse) {
  const auto tokenizer = LoadLetters();
  const Encoded encoded =
      EncodePieces(*tokenizer, {{"<s>", kParse}, {"<s>", kAsText}, {"<s>", kParse}});
  EXPECT_THAT(encoded.ids, ElementsAre(300, '<', 's', '>', 300));
  EXPECT_THAT(encoded.pieces, ElementsAre(0, 1, 1, 1, 2));
}

TEST(EncodePiecesTest, APersonCannotFinishWhatTheTemplateBegan) {
  const auto tokenizer = LoadLetters();
  EXPECT_THAT(EncodePieces(*tokenizer, {{"<s", kParse}, {">", kAsText}}).ids,
              ElementsAre('<', 's', '>'));
  EXPECT_THAT(EncodePieces(*tokenizer, {{"<", kAsText}, {"<s>", kParse}}).ids,
              ElementsAre('<', 300));
  EXPECT_THAT(EncodePieces(*tokenizer, {{"<s", kParse}, {">", kParse}}).ids, ElementsAre(300));
  EXPECT_THAT(EncodePieces(*tokenizer, {{"<t", kAsText}, {">", kParse}}).ids, ElementsAre(301));
}

TEST(EncodePiecesTest, EmptyPiecesHaveNoTokens) {
  const auto tokenizer = LoadLetters();
  EXPECT_THAT(EncodePieces(*tokenizer, {}).ids, IsEmpty());
  EXPECT_THAT(EncodePieces(*tokenizer, {{"", kParse}, {"", kAsText}}).ids, IsEmpty());
  const Encoded encoded = EncodePieces(
      *tokenizer, {{"", kParse}, {"x", kAsText}, {"", kParse}, {"", kAsText}, {"-", kParse}});
  EXPECT_THAT(encoded.pieces, ElementsAre(1, 4));
}

TEST(EncodePiecesTest, TokensAreTracedThroughPrefixesAndReplacements) {
  json file = MarkedWords();
  const json prepend = {{"type", "Prepend"}, {"prepend", "\u2581"}};
  const json spaces = {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "\u2581"}};
  file["normalizer"] = {{"type", "Sequence"}, {"normalizers", json::array({prepend, spaces})}};
  const auto tokenizer = MustLoad(file);
  const Encoded encoded =
      EncodePieces(*tokenizer, {{"a ", kParse}, {"b", kAsText}, {"b  ", kParse}, {"a", kAsText}});
  EXPECT_THAT(encoded.ids, ElementsAre(3, 4, 2, 0, 3));
  EXPECT_THAT(encoded.pieces, ElementsAre(0, 1, 2, 2, 3));
}

TEST(EncodePiecesTest, TokensAreTracedThroughMetaspaceWords) {
  json file = MarkedWords();
  file["pre_tokenizer"] = {{"type", "Metaspace"},
                           {"replacement", "\u2581"},
                           {"prepend_scheme", "first"},
                           {"split", true}};
  file["added_tokens"] = json::array({AddedTokenJson(9, "<s>", {"special"})});
  const auto tokenizer = MustLoad(WithVocabularySize(file, 9));
  const Encoded encoded =
      EncodePieces(*tokenizer, {{"a", kAsText}, {" b<s>", kParse}, {"a a", kAsText}});
  EXPECT_THAT(encoded.ids, ElementsAre(3, 4, 9, 1, 3));
  EXPECT_THAT(encoded.pieces, ElementsAre(0, 1, 1, 2, 2));
}

TEST(EncodePiecesTest, WhatNormalisationFusesBelongsToThePieceItEndsIn) {
  json file = ByteLevelFile({});
  file["normalizer"] = {{"type", "NFC"}};
  const auto tokenizer = MustLoad(file);
  const Encoded encoded =
      EncodePieces(*tokenizer, {{"xe", kParse}, {"\u0301y", kAsText}, {"z", kParse}});
  EXPECT_THAT(encoded.ids, ElementsAre('x', 0xC3, 0xA9, 'y', 'z'));
  EXPECT_THAT(encoded.pieces, ElementsAre(0, 1, 1, 1, 2));
}

TEST(EncodePiecesTest, ACharacterMayBeCutByABorder) {
  const auto tokenizer = LoadLetters();
  const Encoded encoded = EncodePieces(*tokenizer, {{"\xC3", kParse}, {"\xA9", kAsText}});
  EXPECT_THAT(encoded.ids, ElementsAre(0xC3, 0xA9));
  EXPECT_THAT(encoded.pieces, ElementsAre(0, 1));
}

TEST(EncodePiecesTest, BytesThatAreNotUtf8AreAnErrorWithTheirPlace) {
  const auto tokenizer = LoadLetters();
  std::vector<int32_t> ids;
  std::vector<int32_t> pieces;
  const std::vector<Tokenizer::Piece> bad = {{"ab", kParse}, {"c\xFF", kAsText}};
  EXPECT_THAT(std::string(tokenizer->EncodePieces(bad, &ids, &pieces).message()),
              HasSubstr("at byte 3"));
  EXPECT_THAT(std::string(tokenizer->Encode("\xED\xA0\x80", kParse, &ids).message()),
              HasSubstr("at byte 0"));
  EXPECT_THAT(ids, IsEmpty());
}

}  // namespace
}  // namespace mozgach
