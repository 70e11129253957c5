#include "trainer/chat/jinja/value/text.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "trainer/chat/jinja/string_operations.h"
#include "trainer/chat/jinja/value/budget.h"
#include "trainer/chat/jinja/value/case_mapping.h"

namespace mozgach::jinja {
namespace {

// "template[0:content of message 0]…"
std::string Show(const Text& text) {
  std::string shown;
  size_t begin = 0;
  for (const Text::Run& run : text.runs()) {
    const std::string bytes = text.bytes().substr(begin, run.end - begin);
    shown += run.origin < 0 ? bytes : absl::StrCat("[", run.origin, ":", bytes, "]");
    begin = run.end;
  }
  return shown;
}

Text Sample() {
  Text text("<");
  text.Append("  one,", 0);
  text.Append("two  ", 1);
  text.Append(">", kTemplateOrigin);
  return text;
}

TEST(TextTest, NeighboursOfOneOriginAreOneRun) {
  Text text("a");
  text.Append("b", kTemplateOrigin);
  text.Append("", 3);
  text.Append("c", 3);
  EXPECT_EQ(Show(text), "ab[3:c]");
  EXPECT_EQ(text.runs().size(), 2u);
  EXPECT_EQ(text.OriginAt(1), kTemplateOrigin);
  EXPECT_EQ(text.OriginAt(2), 3);
}

TEST(TextTest, SliceCutsRunsAtBothEnds) {
  EXPECT_EQ(Show(Sample()), "<[0:  one,][1:two  ]>");
  EXPECT_EQ(Show(Sample().Slice(3, 9)), "[0:one,][1:tw]");
  EXPECT_EQ(Show(Sample().Slice(4, 4)), "");
}

TEST(TextTest, StripTakesWhiteSpaceOrTheGivenCharacters) {
  const Text inner = Sample().Slice(1, 12);
  EXPECT_EQ(Show(Strip(inner, nullptr, Side::kBoth)), "[0:one,][1:two]");
  EXPECT_EQ(Show(Strip(inner, nullptr, Side::kLeft)), "[0:one,][1:two  ]");
  const std::string set = "< >";
  EXPECT_EQ(Show(Strip(Sample(), &set, Side::kBoth)), "[0:one,][1:two]");
  EXPECT_EQ(Show(Strip(Text("\u3000 é\u00a0"), nullptr, Side::kBoth)), "é");
}

TEST(TextTest, CaseChangesKeepTheOriginEvenWhereBytesGrowOrShrink) {
  Text text("i");
  text.Append("ⱥé", 2);
  EXPECT_EQ(Show(Upper(text)), "I[2:ȺÉ]");
  EXPECT_EQ(Show(TitleMethod(Sample())), "<[0:  One,][1:Two  ]>");
}

TEST(TextTest, SplitReplaceAndJoinKeepTheOrigin) {
  Budget budget;
  const std::string comma = ",";
  const auto parts = Split(Sample(), &comma, -1, &budget);
  ASSERT_TRUE(parts.ok());
  ASSERT_EQ(parts->size(), 2u);
  EXPECT_EQ(Show((*parts)[0]), "<[0:  one]");
  EXPECT_EQ(Show((*parts)[1]), "[1:two  ]>");
  EXPECT_EQ(Show(*Join(*parts, Text("; "), &budget)), "<[0:  one]; [1:two  ]>");
  EXPECT_EQ(Show(*Replace(Sample(), "e,t", Text("E+T", 7), -1, &budget)),
            "<[0:  on][7:E+T][1:wo  ]>");
}

TEST(TextTest, CharactersAreCodePoints) {
  EXPECT_EQ(CountCharacters("aé漢😀"), 4u);
  EXPECT_EQ(CharacterOffsets("aé😀"), (std::vector<size_t>{0, 1, 3, 7}));
}

}  // namespace
}  // namespace mozgach::jinja
