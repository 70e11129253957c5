// The interpreter against Jinja2 itself (jinja_vectors.json, written by jinja_vectors.py), and what
// it says of templates that it refuses.
#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "trainer/chat/chat_template.h"

namespace mozgach {
namespace {
using Json = nlohmann::ordered_json;
using testing::HasSubstr;
using testing::StartsWith;

absl::StatusOr<std::string> Render(const std::string& source,
                                   const Json& variables = Json::object()) {
  ASSIGN_OR_RETURN(const auto chat_template, ChatTemplate::FromSource(source));
  return chat_template->RenderJson(variables);
}

std::string ErrorOf(const std::string& source, const Json& variables = Json::object()) {
  const auto text = Render(source, variables);
  return text.ok() ? absl::StrCat("OK: ", *text) : std::string(text.status().message());
}

TEST(JinjaTest, EveryVectorRendersAsInJinja2) {
  const char* source = std::getenv("MOZGACH_SOURCE_DIR");
  ASSERT_NE(source, nullptr) << "run it with ctest, which names the source directory";
  const auto bytes =
      ReadFile(std::filesystem::path(source) / "tests/trainer/chat/jinja_vectors.json");
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  const Json vectors = Json::parse(*bytes);
  ASSERT_GT(vectors.at("cases").size(), 60u);
  for (const Json& c : vectors.at("cases")) {
    const auto text = Render(c.at("template"), vectors.at("variables"));
    ASSERT_TRUE(text.ok()) << c.at("template") << ": " << text.status();
    EXPECT_EQ(*text, c.at("text").get<std::string>()) << c.at("template");
  }
}

TEST(JinjaTest, RaisedExceptionIsTheMessageAsItIs) {
  EXPECT_EQ(ErrorOf("a\n{{ raise_exception('Roles must alternate: ' ~ 1) }}"),
            "Roles must alternate: 1");
}

TEST(JinjaTest, ErrorsWhileRenderingNameTheLine) {
  EXPECT_EQ(ErrorOf("a\n\n{{ nothing.role }}"), "line 3: 'nothing' is undefined");
  EXPECT_EQ(ErrorOf("{{ 'a' + 1 }}"), "line 1: '+' does not work between string and integer");
  EXPECT_EQ(ErrorOf("{{ none + 'a' }}"), "line 1: '+' does not work between none and string");
  EXPECT_EQ(ErrorOf("{% for a in 5 %}{% endfor %}"), "line 1: integer is not iterable");
  EXPECT_EQ(ErrorOf("{{ 1 // 0 }}"), "line 1: division by zero");
  EXPECT_EQ(ErrorOf("\n{{ 'a'.split('') }}"), "line 2: split(): split: the separator is empty");
}

TEST(JinjaTest, WhatWeDoNotHaveIsNamedWithItsLineAndAWayOut) {
  const std::string way_out =
      " is not supported: a built-in template can be named in the domain file, "
      "`data.chat_template: chatml`";
  EXPECT_EQ(ErrorOf("a\n{% include 'x' %}"), "line 2: the tag 'include'" + way_out);
  EXPECT_EQ(ErrorOf("{{ 'a' | xmlattr }}"), "line 1: the filter 'xmlattr'" + way_out);
  EXPECT_EQ(ErrorOf("{{ 'a' is escaped }}"), "line 1: the test 'escaped'" + way_out);
  EXPECT_EQ(ErrorOf("{{ 'a'.zfill(3) }}"), "line 1: the method 'zfill' of string" + way_out);
  EXPECT_EQ(ErrorOf("{{ lipsum(1) }}"), "line 1: the variable 'lipsum'" + way_out);
}

TEST(JinjaTest, TodayIsTheSameDayInEveryJob) {
  EXPECT_EQ(*Render("{{ strftime_now('%d %b %Y') }}"), "26 Jul 2024");
  EXPECT_EQ(*Render("{{ strftime_now('%A, %Y-%m-%d %H:%M') }}"), "Friday, 2024-07-26 00:00");
  EXPECT_EQ(*Render("{{ strftime_now('') }}{{ strftime_now is defined }}"), "True");
  EXPECT_THAT(ErrorOf("{{ strftime_now() }}"), testing::HasSubstr("format"));
  EXPECT_THAT(ErrorOf("{{ strftime_now('%c' * 500) }}"), testing::HasSubstr("short text"));
}

TEST(JinjaTest, UnsupportedConstructInABranchNotTakenDoesNoHarm) {
  EXPECT_EQ(*Render("{% if tools %}{{ tools | xmlattr }}{% else %}b{% endif %}"), "b");
}

TEST(JinjaTest, MutationIsRefusedAsInTheSandbox) {
  EXPECT_THAT(ErrorOf("{% set l = [1] %}{{ l.append(2) }}"),
              HasSubstr("the method 'append' of list"));
  EXPECT_THAT(ErrorOf("{{ messages.x.y }}", {{"messages", {{"x", nullptr}}}}), StartsWith("OK"));
  EXPECT_THAT(ErrorOf("{{ ''.__class__ }}|"), "OK: |");
}

TEST(JinjaTest, DictAndNamespaceKeepTheMappingTheyAreGiven) {
  EXPECT_EQ(*Render("{{ dict({'a': 1}, y=2) }}"), "{'a': 1, 'y': 2}");
  EXPECT_EQ(*Render("{{ dict([('a', 1), ('b', 2)]) }}"), "{'a': 1, 'b': 2}");
  EXPECT_EQ(*Render("{% set n = namespace({'a': 1}, b=2) %}{{ n.a }}{{ n.b }}"), "12");
}

TEST(JinjaTest, CaseMappingIsThatOfUnicode) {
  EXPECT_EQ(*Render("{{ 'Straße ŉ' | upper }}"), "STRASSE ʼN");
  EXPECT_EQ(*Render("{{ 'ΟΔΟΣ ΣΑΣ' | lower }}"), "οδος σας");
  EXPECT_EQ(*Render("{{ 'ǆungla' | capitalize }}{{ 'İ' | lower }}"), "ǅunglai\u0307");
  EXPECT_EQ(*Render("{{ '1' is upper }}"), "False");
}

TEST(JinjaTest, WhatFiltersGiveIsReadOnceAndIsTrue) {
  EXPECT_EQ(*Render("{% set s = ['a'] | map('upper') %}{{ s | list }}{{ s | list }}"), "['A'][]");
  EXPECT_EQ(*Render("{{ 'y' if [] | select else 'n' }}"), "y");
  EXPECT_THAT(ErrorOf("{{ ['a'] | map('upper') }}"), HasSubstr("is not supported"));
}

TEST(JinjaTest, SplittingIsThatOfPython) {
  EXPECT_EQ(*Render("{{ ' a  b  c '.split(none, 1) }}"), "['a', 'b  c ']");
  EXPECT_EQ(*Render("{{ ' a  b  c '.rsplit(none, 1) }}"), "[' a  b', 'c']");
  EXPECT_EQ(*Render("{{ 'a\\x85b\\u2028c\\r\\nd'.splitlines() }}"), "['a', 'b', 'c', 'd']");
}

TEST(JinjaTest, SameAsComparesIdentities) {
  EXPECT_EQ(*Render("{{ [] is sameas [] }}{{ 1 is sameas true }}"), "FalseFalse");
  EXPECT_EQ(*Render("{% set l = [] %}{{ l is sameas l }}{{ none is sameas none }}"), "TrueTrue");
  EXPECT_THAT(ErrorOf("{{ 'a' is sameas 'a' }}"), HasSubstr("is not supported"));
}

TEST(JinjaTest, SyntaxErrorsNameTheLineAndWhatWasExpected) {
  EXPECT_EQ(ErrorOf("a\n{% if x %}\nb"), "line 3: a block has no end: '{% endif %}' is missing");
  EXPECT_EQ(ErrorOf("{% endfor %}"), "line 1: 'endfor' has no block to belong to");
  EXPECT_EQ(ErrorOf("\n{{ 1 + "), "line 2: the tag has no end '}}'");
  EXPECT_EQ(ErrorOf("{{ [1, 2 }}"), "line 1: unexpected '}'");
  EXPECT_EQ(ErrorOf("{{ }}"), "line 1: expected a value, found '}}'");
  EXPECT_EQ(ErrorOf("{{ 'abc }}"), "line 1: a string has no end");
  EXPECT_EQ(ErrorOf("{# a"), "line 1: the comment '{#' has no end '#}'");
  EXPECT_EQ(ErrorOf("{{ a ? b }}"), "line 1: unexpected character '?'");
  EXPECT_EQ(ErrorOf("{% break %}"), "line 1: 'break' outside of a for");
}

TEST(JinjaTest, KeysKeepTheOrderInWhichTheyCame) {
  const Json tool = Json::parse(R"({"z": 1, "a": {"y": [], "b": "é"}})");
  EXPECT_EQ(*Render("{{ t | tojson }}", {{"t", tool}}), R"({"z": 1, "a": {"y": [], "b": "é"}})");
}

}  // namespace
}  // namespace mozgach
