#include "common/size_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mozgach {
namespace {

using ::testing::HasSubstr;

TEST(SizeTextTest, ReadsUnitsOfBothKinds) {
  EXPECT_EQ(*ParseSize("1000000"), 1'000'000u);
  EXPECT_EQ(*ParseSize("8GiB"), uint64_t{8} << 30);
  EXPECT_EQ(*ParseSize(" 8G "), uint64_t{8} << 30);
  EXPECT_EQ(*ParseSize("1.5 gb"), 1'500'000'000u);
  EXPECT_EQ(*ParseSize("2tib"), uint64_t{2} << 40);
  EXPECT_EQ(*ParseSize("7 B"), 7u);
}

TEST(SizeTextTest, RejectsWhatIsNotASize) {
  for (const char* text : {"", " ", "x", "-1", "0", "8Q", "1e30G", "GiB", "nan", "inf", "1.2.3G",
                           "99999999T", "1 G x"}) {
    const auto size = ParseSize(text);
    EXPECT_THAT(std::string(size.status().message()), HasSubstr("is not a size; write it like"))
        << text;
  }
}

TEST(SizeTextTest, PrintsOneDigitAndReadsItAgain) {
  EXPECT_EQ(FormatSize(0), "0 B");
  EXPECT_EQ(FormatSize(1023), "1023 B");
  EXPECT_EQ(FormatSize(1536), "1.5 KiB");
  EXPECT_EQ(FormatSize(uint64_t{3} << 41), "6.0 TiB");
  EXPECT_EQ(FormatSize(uint64_t{1} << 55), "32768.0 TiB");
  EXPECT_EQ(*ParseSize(FormatSize(uint64_t{9} << 29)), uint64_t{9} << 29);
}

}  // namespace
}  // namespace mozgach
