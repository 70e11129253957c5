#include "common/utf8.h"

#include "gtest/gtest.h"

namespace mozgach {
namespace {

TEST(Utf8Test, EveryCodePointGoesThroughAndBack) {
  for (char32_t code_point = 1; code_point <= 0x10FFFF; ++code_point) {
    if (code_point == 0xD800) code_point = 0xE000;
    std::string text;
    AppendUtf8(code_point, &text);
    ASSERT_EQ(FirstInvalidUtf8(text), std::string_view::npos) << static_cast<uint32_t>(code_point);
    size_t offset = 0;
    ASSERT_EQ(NextCodePoint(text, &offset), code_point);
    ASSERT_EQ(offset, text.size());
  }
}

TEST(Utf8Test, IllFormedSequencesAreFoundAtTheirFirstByte) {
  for (const char* bad :
       {"\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE2\x82", "\x80", "\xFF"}) {
    EXPECT_EQ(FirstInvalidUtf8(std::string("é") + bad), 2u) << bad;
  }
}

TEST(Utf8Test, BadByteIsPassedOverAlone) {
  const std::string text = "\xE2\x82z";
  size_t offset = 0;
  EXPECT_EQ(NextCodePoint(text, &offset), char32_t{0xFFFD});
  EXPECT_EQ(offset, 1u);
}

TEST(Utf8Test, AbbreviationNeverCutsACharacter) {
  EXPECT_EQ(Abbreviate("abc", 3), "abc");
  EXPECT_EQ(Abbreviate("aéé", 2), "a…");
  EXPECT_EQ(Abbreviate("aéé", 3), "aé…");
}

TEST(Utf8Test, WhatStrangersWroteIsShownWithoutItsControlCharactersAndNotWhole) {
  EXPECT_EQ(Showable("a\x1b]0;x\x07\n\tй\x7f"), "a\\x1b]0;x\\x07\n\tй\\x7f");
  EXPECT_LT(Showable(std::string(5'000'000, 'x')).size(), 5000u);
}

}  // namespace
}  // namespace mozgach
