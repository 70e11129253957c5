#include "common/terminal_text.h"

#include <gtest/gtest.h>

#include "common/utf8.h"

namespace mozgach {
namespace {

TEST(TerminalTextTest, EscapesWhatATerminalWouldObey) {
  EXPECT_EQ(EscapeControls("a\x1b[31mred\x1b]0;title\a"), "a\\x1b[31mred\\x1b]0;title\\x07");
  EXPECT_EQ(EscapeControls(std::string_view("a\0b\rc\x7f", 6)), "a\\x00b\\x0dc\\x7f");
  EXPECT_EQ(EscapeControls("\u009b31m \u0085"), "\\u009b31m \\u0085");
  EXPECT_EQ(EscapeControls("\x9b"
                           "31m\xff"),
            "\\x9b31m\\xff");
  EXPECT_EQ(EscapeControls("\u202egnp.exe\u2066 \u200f\u061c\u2028"),
            "\\u202egnp.exe\\u2066 \\u200f\\u061c\\u2028");
}

TEST(TerminalTextTest, LeavesTextAsItIs) {
  const std::string text = "two\n\tlines, Größe, 日本語, 👩‍🔬, …";
  EXPECT_EQ(EscapeControls(text), text);
  EXPECT_EQ(EscapeControls(""), "");
  EXPECT_EQ(EscapeLine("two\nlines\x1b"), "two\\nlines\\x1b");
}

TEST(TerminalTextTest, ShowableIsEscapedAndBounded) {
  EXPECT_EQ(Showable("\u009b\x1b"), "\\u009b\\x1b");
  EXPECT_LT(Showable(std::string(1 << 20, 'a')).size(), 4100u);
}

}  // namespace
}  // namespace mozgach
