#include "trainer/tokenizer/text/unicode.h"

#include <gtest/gtest.h>

#include <string>

#include "trainer/tokenizer/text/utf8.h"

namespace mozgach {
namespace {

TEST(UnicodeTest, SpacesAreThoseOfUnicode) {
  for (const char32_t c : {U' ', U'\t', U'\u0085', U'\u00A0', U'\u2028', U'\u3000'}) {
    EXPECT_TRUE(IsSpace(c)) << static_cast<int>(c);
  }
  EXPECT_FALSE(IsSpace(U'\u180E'));
  EXPECT_FALSE(IsSpace(U'\u200B'));
}

TEST(UnicodeTest, NumbersAreOfEveryScript) {
  for (const char32_t c : {U'7', U'\u00BD', U'\u2163', U'\u0663', U'\U00010D40'}) {
    EXPECT_TRUE(IsNumeric(c)) << static_cast<int>(c);
  }
  EXPECT_FALSE(IsNumeric(U'a'));
}

TEST(UnicodeTest, WordCharactersAreThoseOfRust) {
  for (const char32_t c : {U'a', U'_', U'\u0301', U'\u24B6', U'\u200D', U'\u4F60'}) {
    EXPECT_TRUE(IsWordCharacter(c)) << static_cast<int>(c);
  }
  for (const char32_t c : {U'-', U'\u00B2', U' ', U'\U0001F600'}) {
    EXPECT_FALSE(IsWordCharacter(c)) << static_cast<int>(c);
  }
}

TEST(UnicodeTest, StandInsAreAsLongAsWhatTheyStandFor) {
  for (char32_t c = 0x80; c < 0x110000; ++c) {
    if (c == 0xD800) c = 0xE000;
    std::string original;
    std::string stand_in;
    AppendUtf8(c, &original);
    AppendUtf8(StandIn(c), &stand_in);
    ASSERT_EQ(original.size(), stand_in.size()) << static_cast<int>(c);
    ASSERT_EQ(StandIn(StandIn(c)), StandIn(c)) << static_cast<int>(c);
  }
}

TEST(UnicodeTest, ATextWithoutNewcomersIsNotCopied) {
  const std::string text = "a\u4F60\U0001F600";
  std::string storage;
  EXPECT_EQ(WithStandIns(text, &storage).data(), text.data());
  EXPECT_EQ(WithStandIns("x\u1C89y", &storage), "x\u1E00y");
}

TEST(Utf8Test, EachMaximalStretchThatIsNoCharacterBecomesOneReplacement) {
  EXPECT_EQ(ReplaceInvalidUtf8("a\xC3"), "a\uFFFD");
  EXPECT_EQ(ReplaceInvalidUtf8("\xE4\xBD-"), "\uFFFD-");
  EXPECT_EQ(ReplaceInvalidUtf8("\xF0\x9F\x98\xF0\x9F\x98\x80"), "\uFFFD\U0001F600");
  EXPECT_EQ(ReplaceInvalidUtf8("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(ReplaceInvalidUtf8("\xC0\x80\xFF"), "\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(ReplaceInvalidUtf8("h\u00E9"), "h\u00E9");
}

}  // namespace
}  // namespace mozgach
