#include "trainer/tokenizer/text/normal_form.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace mozgach {
namespace {

using ::testing::ElementsAre;

std::string InForm(NormalForm form, const std::string& text) {
  TrackedText tracked = {text, {}};
  Normalize(form, &tracked);
  return tracked.text;
}

std::string Nfc(const std::string& text) { return InForm(NormalForm::kC, text); }

TEST(NormalFormTest, ComposesAndReordersMarks) {
  EXPECT_EQ(Nfc("e\u0301"), "\u00E9");
  EXPECT_EQ(Nfc("\u0438\u0306"), "\u0439");
  EXPECT_EQ(Nfc("a\u0302\u0323"), "\u1EAD");         // reordered, then composed twice
  EXPECT_EQ(Nfc("q\u0307\u0323"), "q\u0323\u0307");  // reordered only
  EXPECT_EQ(Nfc("\u1E9B\u0323"), "\u1E9B\u0323");
}

TEST(NormalFormTest, ComposesHangul) {
  EXPECT_EQ(Nfc("\u1100\u1161\u11A8"), "\uAC01");
  EXPECT_EQ(Nfc("\uAC00\u11A8"), "\uAC01");
  EXPECT_EQ(Nfc("\uAC00\u11A7"), "\uAC00\u11A7");  // U+11A7 is not a final
}

TEST(NormalFormTest, ReplacesSingletonsAndExclusions) {
  EXPECT_EQ(Nfc("\u212B\u2126"), "\u00C5\u03A9");
  EXPECT_EQ(Nfc("\u0344"), "\u0308\u0301");
  EXPECT_EQ(Nfc("\u0958"), "\u0915\u093C");
}

TEST(NormalFormTest, LeavesComposedTextAsItIs) {
  const std::string text = "Hello, \u4F60\u597D \u0439 \u00E9 \U0001F600 \uAC01\n";
  EXPECT_EQ(Nfc(text), text);
  EXPECT_EQ(Nfc(""), "");
}

TEST(NormalFormTest, MarksThatUnicode9DidNotHaveStandStill) {
  EXPECT_EQ(Nfc("a\u1ABF\u0334"), "a\u1ABF\u0334");
  EXPECT_EQ(Nfc("\U00011935\U00011930"), "\U00011935\U00011930");
}

TEST(NormalFormTest, FormDTakesApartWhatFormCPutsTogether) {
  EXPECT_EQ(InForm(NormalForm::kD, "\u00E9\uAC01\u1EAD"), "e\u0301\u1100\u1161\u11A8a\u0323\u0302");
  EXPECT_EQ(InForm(NormalForm::kD, "\uFB01\u00BD"), "\uFB01\u00BD");
  EXPECT_EQ(InForm(NormalForm::kD, "\U00011938"), "\U00011938");  // younger than Unicode 9
}

TEST(NormalFormTest, CompatibilityFormsSpellOutLigaturesWidthsAndFractions) {
  EXPECT_EQ(InForm(NormalForm::kKC, "\uFB01\u00BD\uFF21\u00E9\u3000"), "fi1\u20442A\u00E9 ");
  EXPECT_EQ(InForm(NormalForm::kKD, "\uFB01\u00BD\uFF21\u00E9"), "fi1\u20442Ae\u0301");
  EXPECT_EQ(InForm(NormalForm::kKC, "\uFF76\uFF9E"), "\u30AC");  // halfwidth, then composed
  EXPECT_EQ(InForm(NormalForm::kKC, "\u32FF\U0001FBF0"), "\u32FF\U0001FBF0");  // too young
}

TEST(NormalFormTest, AMegabyteOfMarksIsSortedAtOnce) {
  std::string text = "a";
  for (int i = 0; i < 250'000; ++i) text += "\u0301\u0323";
  const std::string composed = Nfc(text);
  EXPECT_EQ(composed.substr(0, 5), "\u1EA1\u0323");  // a and one dot below, then the other dots
  EXPECT_EQ(composed.substr(composed.size() - 2), "\u0301");
  EXPECT_EQ(composed.size(), text.size());  // "a" and two bytes made three
}

TEST(NormalFormTest, BordersBesideAChangeStayAndInsideItGoToItsBeginning) {
  TrackedText text = {"xe\u0301yz", {1, 2, 4, 5}};
  Normalize(NormalForm::kC, &text);
  EXPECT_EQ(text.text, "x\u00E9yz");
  EXPECT_THAT(text.marks, ElementsAre(1, 1, 3, 4));
}

}  // namespace
}  // namespace mozgach
