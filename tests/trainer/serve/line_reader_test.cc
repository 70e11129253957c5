#include "trainer/serve/line_reader.h"

#include <gtest/gtest.h>

#include <sstream>

namespace mozgach {
namespace {

TEST(LineReaderTest, LinesComeOneByOneAndTheLastNeedsNoBreak) {
  std::istringstream in("one\n\ntwo");
  LineReader lines(in, 100);
  EXPECT_EQ(**lines.Next(), "one");
  EXPECT_EQ(**lines.Next(), "");
  EXPECT_EQ(**lines.Next(), "two");
  EXPECT_FALSE(lines.Next()->has_value());
}

TEST(LineReaderTest, ALineOverTheLimitIsPassedOver) {
  std::istringstream in(std::string(1000, 'x') + "\nshort\n");
  LineReader lines(in, 10);
  EXPECT_TRUE(absl::IsResourceExhausted(lines.Next().status()));
  EXPECT_EQ(**lines.Next(), "short");
}

TEST(LineReaderTest, ALineOfExactlyTheLimitIsRead) {
  std::istringstream in(std::string(10, 'x') + "\n");
  EXPECT_EQ((*LineReader(in, 10).Next())->size(), 10u);
}

}  // namespace
}  // namespace mozgach
