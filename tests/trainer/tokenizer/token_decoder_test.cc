#include "trainer/tokenizer/token_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_join.h"
#include "tests/trainer/tokenizer/tiny_tokenizer.h"

namespace mozgach {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

absl::StatusOr<std::string> DecodeTexts(const json& description, std::vector<std::string> texts) {
  ASSIGN_OR_RETURN(const JsonObject object, JsonObject::From(description, "decoder"));
  ASSIGN_OR_RETURN(const std::unique_ptr<TokenDecoder> decoder, TokenDecoder::FromJson(object));
  decoder->Apply(&texts);
  return absl::StrJoin(texts, "|");
}

json Sequence(const std::vector<json>& decoders) {
  return {{"type", "Sequence"}, {"decoders", decoders}};
}

TEST(DecoderTest, ByteLevelJoinsBytesAcrossTokens) {
  const json byte_level = {{"type", "ByteLevel"}};
  EXPECT_EQ(*DecodeTexts(byte_level, {"\u0120Hi", "\u00C3", "\u00A9"}), " Hi\u00E9");
  EXPECT_EQ(*DecodeTexts(byte_level, {"a", "\u00C3", "b"}), "a\uFFFDb");
  EXPECT_EQ(*DecodeTexts(byte_level, {"<\u2581>", "\u0120"}), "<\u2581> ");
}

TEST(DecoderTest, ByteFallbackReplacesEachByteOfARunThatIsNoText) {
  const json fallback = {{"type", "ByteFallback"}};
  EXPECT_EQ(*DecodeTexts(fallback, {"a", "<0xC3>", "<0xA9>", "b"}), "a|\u00E9|b");
  EXPECT_EQ(*DecodeTexts(fallback, {"<0xC3>", "<0x41>"}), "\uFFFD|\uFFFD");
  EXPECT_EQ(*DecodeTexts(fallback, {"<0xGG>", "<0x4>"}), "<0xGG>|<0x4>");
}

TEST(DecoderTest, TheSequenceOfLlamaTakesOffTheFirstSpace) {
  const json spaces = {{"type", "Replace"}, {"pattern", {{"String", "\u2581"}}}, {"content", " "}};
  const json strip = {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}};
  const json llama = Sequence({spaces, {{"type", "ByteFallback"}}, {{"type", "Fuse"}}, strip});
  EXPECT_EQ(*DecodeTexts(llama, {"\u2581\u2581Hi", "<0x0A>", "\u2581x"}), " Hi\n x");
}

TEST(DecoderTest, StripTakesOffAtMostSoManyAtEitherEnd) {
  const json strip = {{"type", "Strip"}, {"content", "-"}, {"start", 1}, {"stop", 2}};
  EXPECT_EQ(*DecodeTexts(strip, {"--a---", "-", "--", "a"}), "-a-|||a");
}

TEST(DecoderTest, MetaspaceDropsTheMarkOfTheFirstTokenUnlessNoneWasPutThere) {
  json metaspace = {{"type", "Metaspace"}, {"replacement", "\u2581"}, {"prepend_scheme", "first"}};
  EXPECT_EQ(*DecodeTexts(metaspace, {"\u2581a", "\u2581b"}), "a| b");
  metaspace["prepend_scheme"] = "never";
  EXPECT_EQ(*DecodeTexts(metaspace, {"\u2581a", "\u2581b"}), " a| b");
}

TEST(DecoderTest, WhatItDoesNotHaveIsNamed) {
  const auto error = [](const json& description) {
    return std::string(DecodeTexts(description, {}).status().message());
  };
  EXPECT_THAT(error({{"type", "WordPiece"}}), HasSubstr("decoder.type: 'WordPiece'"));
  EXPECT_THAT(error({{"type", "Replace"}, {"pattern", {{"Regex", "a"}}}, {"content", ""}}),
              HasSubstr("decoder.pattern: 'Regex' is not supported"));
  EXPECT_THAT(error({{"type", "Strip"}, {"content", "ab"}, {"start", 1}, {"stop", 0}}),
              HasSubstr("decoder.content: expected one character"));
  EXPECT_THAT(error(Sequence({{{"type", "Fuse"}}, {{"type", "X"}}})),
              HasSubstr("decoder.decoders[1].type"));
}

TEST(DecoderTest, IdsOutOfRangeArePassedOverAndSpecialOnesSkippedWhenAsked) {
  json file = WithVocabularySize(ByteLevelFile({}), 300);
  file["added_tokens"] =
      json::array({AddedTokenJson(300, "<s>", {"special"}), AddedTokenJson(301, "<t>", {})});
  const auto tokenizer = MustLoad(file);
  const std::vector<int32_t> ids = {-1, 300, 'a', 302, 301, INT32_MAX};
  EXPECT_EQ(tokenizer->Decode(ids, /*skip_special=*/false), "<s>a<t>");
  EXPECT_EQ(tokenizer->Decode(ids, /*skip_special=*/true), "a<t>");
  EXPECT_EQ(tokenizer->VocabularySize(), 302);
  EXPECT_EQ(tokenizer->TokenId("<s>"), 300);
  EXPECT_EQ(tokenizer->TokenId("<u>"), std::nullopt);
  EXPECT_EQ(tokenizer->TokenText(302), "");
}

}  // namespace
}  // namespace mozgach
