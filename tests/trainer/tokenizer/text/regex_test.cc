#include "trainer/tokenizer/text/regex.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "trainer/tokenizer/text/oniguruma_pattern.h"

namespace mozgach {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Strings = std::vector<std::string>;

absl::StatusOr<Strings> Find(const std::string& pattern, const std::string& text) {
  ASSIGN_OR_RETURN(const Regex regex, Regex::Compile(pattern));
  Strings found;
  const auto append = [&](Span, const std::vector<Span>& matches) {
    for (const Span& match : matches) {
      found.push_back(text.substr(match.begin, match.end - match.begin));
    }
  };
  RETURN_IF_ERROR(regex.FindInParts(text, {{0, text.size()}}, append));
  return found;
}

TEST(RegexTest, Qwen2WordsKeepContractionsNumbersAndLineBreaksApart) {
  const std::string qwen2 =
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
      R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";
  EXPECT_THAT(*Find(qwen2, "I'LL pay 12, ok?\r\n\n  x"),
              ElementsAre("I", "'LL", " pay", " ", "1", "2", ",", " ok", "?\r\n\n", " ", " x"));
}

TEST(RegexTest, LettersNewerThanTheLibraryAreLetters) {
  EXPECT_THAT(*Find(R"(\p{L}+)", "a\U00031350\u1C89!"), ElementsAre("a\U00031350\u1C89"));
  EXPECT_THAT(*Find(R"(\p{Han}+)", "a\U00031350!"), ElementsAre("\U00031350"));
  EXPECT_THAT(*Find(R"(\p{Nd}+)", "\U00010D40"), ElementsAre("\U00010D40"));
}

TEST(RegexTest, WhiteSpaceIsThatOfUnicode) {
  EXPECT_THAT(*Find(R"(\s)", "\u180E\u0085\u3000"), ElementsAre("\u0085", "\u3000"));
  EXPECT_THAT(*Find(R"([^\s]+)", "a\u180E b"), ElementsAre("a\u180E", "b"));
  EXPECT_THAT(*Find(R"([\s\S]+)", "\u180E"), ElementsAre("\u180E"));
}

TEST(RegexTest, EmptyMatchesStandOnlyWhereNoOtherEnded) {
  EXPECT_THAT(*Find("x*", "axxb"), ElementsAre("", "xx", ""));
  EXPECT_THAT(*Find("x*", "\u00E9"), ElementsAre("", ""));
}

TEST(RegexTest, APartIsATextOfItsOwn) {
  const Regex regex = *Regex::Compile("(?<!a)b(?!c)");
  std::vector<size_t> counts;
  const absl::Status status = regex.FindInParts(
      "abc", {{0, 3}, {1, 2}},
      [&](Span, const std::vector<Span>& matches) { counts.push_back(matches.size()); });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(counts, ElementsAre(0, 1));
}

TEST(RegexTest, WhatTheTwoEnginesReadDifferentlyIsNamed) {
  const auto error = [](const std::string& pattern) {
    return std::string(PcreFromOniguruma(pattern).status().message());
  };
  EXPECT_THAT(error("[a&&b]"), HasSubstr("&&"));
  EXPECT_THAT(error("[a[bc]]"), HasSubstr("a class inside a class"));
  EXPECT_THAT(error(R"(\bword)"), HasSubstr(R"(\b)"));
  EXPECT_THAT(error(R"(\p{N}{1,3}+)"), HasSubstr("{n,m}+"));
  EXPECT_THAT(error("(?m:.)"), HasSubstr("(?m:"));
  EXPECT_THAT(error("(?<name>a)"), HasSubstr("(?<n"));
  EXPECT_THAT(error(R"(\pL)"), HasSubstr("a property without {name}"));
  EXPECT_THAT(error("a\\"), HasSubstr("a lone backslash"));
  EXPECT_THAT(error(R"([^\W])"), HasSubstr("a negated"));
}

TEST(RegexTest, APatternWithoutEndGivesUp) {
  const absl::Status status = Find(R"((x+x+)+\d)", std::string(100, 'x')).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("gives up on this text"));
}

TEST(RegexTest, NestingMayBeDeeperThanTheMachinesStack) {
  EXPECT_EQ(Find("(?:(a)|b)+", std::string(100'000, 'a'))->size(), 1u);
  const absl::Status status = Find("(?:(a)|b)+x", std::string(4'000'000, 'a')).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
}

TEST(RegexTest, AMegabyteOfSpacesIsOneMatch) {
  EXPECT_EQ(Find(R"(\s*[\r\n]+|\s+(?!\S)|\s+)", std::string(1 << 20, ' '))->size(), 1u);
}

}  // namespace
}  // namespace mozgach
