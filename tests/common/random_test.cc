#include "common/random.h"

#include <set>

#include "gtest/gtest.h"

namespace mozgach {
namespace {
using Block = std::array<uint32_t, 4>;

// Known answers of Random123 (kat_vectors, philox4x32 10).
TEST(PhiloxTest, KnownAnswersOfRandom123) {
  EXPECT_EQ(Philox4x32({0, 0, 0, 0}, {0, 0}),
            (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(Philox4x32({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RandomTest, StreamsOfOneSeedDiffer) {
  std::set<uint32_t> firsts;
  for (const auto stream : {RandomStream::kShuffle, RandomStream::kDropout}) {
    for (uint32_t a = 0; a < 3; ++a) {
      for (uint32_t b = 0; b < 3; ++b) firsts.insert(Random(108, stream, a, b).Next());
    }
  }
  EXPECT_EQ(firsts.size(), 18u);
  EXPECT_NE(Random(1, RandomStream::kShuffle).Next(),
            Random(uint64_t{1} << 32 | 1, RandomStream::kShuffle).Next());
}

TEST(RandomTest, SameSeedGivesTheSameNumbersAcrossBlocks) {
  Random one(7, RandomStream::kSampling, 1), two(7, RandomStream::kSampling, 1);
  std::set<uint32_t> seen;
  for (int i = 0; i < 1000; ++i) {
    const uint32_t number = one.Next();
    EXPECT_EQ(number, two.Next());
    seen.insert(number);
  }
  EXPECT_EQ(seen.size(), 1000u);
}

TEST(RandomTest, BelowReachesEveryNumberAboutEquallyOften) {
  Random random(3, RandomStream::kShuffle);
  std::array<int, 7> counts{};
  for (int i = 0; i < 70'000; ++i) ++counts[random.Below(7)];
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 500);
}

TEST(RandomTest, UniformStaysBelowOne) {
  Random random(3, RandomStream::kSampling);
  double sum = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double number = random.Uniform();
    ASSERT_GE(number, 0);
    ASSERT_LT(number, 1);
    sum += number;
  }
  EXPECT_NEAR(sum / 10'000, 0.5, 0.02);
}

}  // namespace
}  // namespace mozgach
