#include "trainer/tokenizer/text/tracked_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mozgach {
namespace {

using ::testing::ElementsAre;

TEST(TrackedTextTest, MarksMoveWithTheTextBehindThem) {
  TrackedText text = {"a b c", {1, 2, 4}};
  Rewriter rewriter(&text);
  rewriter.Replace(1, 2, "__");
  rewriter.Replace(3, 4, "");
  rewriter.Finish();
  EXPECT_EQ(text.text, "a__bc");
  EXPECT_THAT(text.marks, ElementsAre(1, 3, 4));
}

TEST(TrackedTextTest, AMarkInsideWhatIsReplacedMovesToItsBeginning) {
  TrackedText text = {"abcd", {2}};
  Rewriter rewriter(&text);
  rewriter.Replace(1, 3, "xyz");
  rewriter.Finish();
  EXPECT_EQ(text.text, "axyzd");
  EXPECT_THAT(text.marks, ElementsAre(1));
}

TEST(TrackedTextTest, WhatIsPutBeforeATextBelongsToIt) {
  TrackedText text = {"ab", {1}};
  Rewriter rewriter(&text);
  rewriter.Replace(0, 0, ">>");
  rewriter.Finish();
  EXPECT_EQ(text.text, ">>ab");
  EXPECT_THAT(text.marks, ElementsAre(3));
}

}  // namespace
}  // namespace mozgach
