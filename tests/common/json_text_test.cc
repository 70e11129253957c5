#include "common/json_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "nlohmann/json.hpp"

namespace mozgach {
namespace {

using ::testing::HasSubstr;

std::string Nested(int depth) {
  return std::string(static_cast<size_t>(depth), '[') +
         std::string(static_cast<size_t>(depth), ']');
}

TEST(JsonTextTest, ADocumentWithinTheDepthIsRead) {
  EXPECT_TRUE(ParseJson(Nested(kJsonDepthMax)).ok());
  EXPECT_EQ(ParseJson(R"({"a": [1, {"b": null}]})")->at("a").at(0), 1);
}

TEST(JsonTextTest, OneLevelMoreIsRefused) {
  const auto refused = ParseJson(Nested(kJsonDepthMax + 1));
  EXPECT_TRUE(absl::IsInvalidArgument(refused.status()));
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("nested more than 64 deep"));
  EXPECT_FALSE(ParseOrderedJson(Nested(1'000'000)).ok());
  EXPECT_FALSE(ParseJson(R"({"a":)" + std::string(1'000'000, '[')).ok());
}

TEST(JsonTextTest, BracketsWithinTextDoNotCount) {
  const std::string text = R"(["\"\\)" + std::string(1000, '[') + R"("])";
  const auto read = ParseJson(text);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->at(0), "\"\\" + std::string(1000, '['));
}

TEST(JsonTextTest, WhatIsNoJsonIsSaidWithItsPlace) {
  const auto refused = ParseJson("{\"a\": 1,\n  \"b\" 2}");
  EXPECT_THAT(std::string(refused.status().message()),
              ::testing::AllOf(HasSubstr("no JSON"), HasSubstr("line 2")));
  EXPECT_FALSE(ParseJson("").ok());
}

TEST(JsonTextTest, WholeNumbersAreTakenAsTheyAreOrNotAtAll) {
  for (const char* text : {"0", "-9223372036854775808", "9223372036854775807"}) {
    EXPECT_EQ(std::to_string(WholeNumber(*ParseJson(text))), text);
  }
  for (const char* text :
       {"1e300", "-1e300", "1.5", "9223372036854775808", "\"1\"", "null", "[1]"}) {
    EXPECT_THROW(WholeNumber(*ParseJson(text)), nlohmann::json::exception) << text;
  }
  EXPECT_EQ(WholeNumber(*ParseJson("0"), 0), 0);
  EXPECT_THROW(WholeNumber(*ParseJson("-1"), 0), nlohmann::json::exception);
}

TEST(JsonTextTest, OrderedKeysKeepTheirOrder) {
  EXPECT_EQ(ParseOrderedJson(R"({"z": 1, "a": 2})")->dump(), R"({"z":1,"a":2})");
}

TEST(JsonTextTest, ManyValuesAreRefusedWhereTheCallerBoundsThem) {
  EXPECT_TRUE(CheckJsonShape("[1,2,3]", 2).ok());
  EXPECT_FALSE(CheckJsonShape("[1,2,3,4]", 2).ok());
}

}  // namespace
}  // namespace mozgach
