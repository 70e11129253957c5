#include "trainer/tokenizer/text/split.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "trainer/tokenizer/text/pre_tokenizer.h"

namespace mozgach {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Cut(const json& description, const std::string& text) {
  const JsonObject object = *JsonObject::From(description, "pre_tokenizer");
  const std::unique_ptr<PreTokenizer> cutter = *PreTokenizer::FromJson(object);
  Words words;
  words.text.text = text;
  words.spans = {{0, text.size()}};
  words.at_start = true;
  EXPECT_TRUE(cutter->Apply(&words).ok());
  std::vector<std::string> cut;
  for (const Span& span : words.spans) {
    cut.push_back(words.text.text.substr(span.begin, span.end - span.begin));
  }
  return cut;
}

json SplitAtDashes(const std::string& behavior, bool invert = false) {
  return {{"type", "Split"},
          {"pattern", {{"String", "-"}}},
          {"behavior", behavior},
          {"invert", invert}};
}

TEST(SplitTest, EachBehaviourPutsTheDelimiterElsewhere) {
  const std::string text = "-a--b-";
  EXPECT_THAT(Cut(SplitAtDashes("Removed"), text), ElementsAre("a", "b"));
  EXPECT_THAT(Cut(SplitAtDashes("Isolated"), text), ElementsAre("-", "a", "-", "-", "b", "-"));
  EXPECT_THAT(Cut(SplitAtDashes("MergedWithPrevious"), text), ElementsAre("-", "a-", "-", "b-"));
  EXPECT_THAT(Cut(SplitAtDashes("MergedWithNext"), text), ElementsAre("-a", "-", "-b", "-"));
  EXPECT_THAT(Cut(SplitAtDashes("Contiguous"), text), ElementsAre("-", "a", "--", "b", "-"));
}

TEST(SplitTest, InvertedTheRestDelimits) {
  EXPECT_THAT(Cut(SplitAtDashes("Removed", true), "-a--b"), ElementsAre("-", "-", "-"));
  EXPECT_THAT(Cut(SplitAtDashes("MergedWithPrevious", true), "-a--b"),
              ElementsAre("-a", "-", "-b"));
}

TEST(SplitTest, WhatHasNoDelimiterIsOneWord) {
  EXPECT_THAT(Cut(SplitAtDashes("Removed"), "ab"), ElementsAre("ab"));
  EXPECT_THAT(Cut(SplitAtDashes("Removed"), "--"), IsEmpty());
}

TEST(DigitsTest, NumbersStandAloneOrDigitByDigit) {
  EXPECT_THAT(Cut({{"type", "Digits"}, {"individual_digits", false}}, "a12\u00BDb"),
              ElementsAre("a", "12\u00BD", "b"));
  EXPECT_THAT(Cut({{"type", "Digits"}, {"individual_digits", true}}, "a12b"),
              ElementsAre("a", "1", "2", "b"));
}

TEST(MetaspaceTest, WordsBeginAtTheMark) {
  const json metaspace = {
      {"type", "Metaspace"}, {"replacement", "_"}, {"prepend_scheme", "always"}};
  EXPECT_THAT(Cut(metaspace, "a  b"), ElementsAre("_a", "_", "_b"));
  EXPECT_THAT(Cut(metaspace, " a"), ElementsAre("_a"));
  EXPECT_THAT(Cut(metaspace, "_a"), ElementsAre("_a"));
}

TEST(MetaspaceTest, FirstMeansTheBeginningOfTheWholeText) {
  const json metaspace = {
      {"type", "Metaspace"}, {"replacement", "_"}, {"prepend_scheme", "first"}, {"split", false}};
  const json steps = json::array({SplitAtDashes("Isolated"), metaspace});
  EXPECT_THAT(Cut({{"type", "Sequence"}, {"pretokenizers", steps}}, "a-b c"),
              ElementsAre("_a", "-", "b_c"));
}

TEST(MetaspaceTest, OlderFilesSayWhetherAPrefixIsAdded) {
  EXPECT_THAT(Cut({{"type", "Metaspace"}, {"replacement", "_"}, {"add_prefix_space", false}}, "a"),
              ElementsAre("a"));
  EXPECT_THAT(Cut({{"type", "Metaspace"}, {"replacement", "_"}, {"add_prefix_space", true}}, "a"),
              ElementsAre("_a"));
}

TEST(ByteLevelTest, WordsAreThoseOfGpt2WithASpaceBefore) {
  EXPECT_THAT(Cut({{"type", "ByteLevel"}, {"add_prefix_space", true}}, "It's  12"),
              ElementsAre(" It", "'s", " ", " 12"));
}

}  // namespace
}  // namespace mozgach
