// Steps down when memory runs out, with the same result.
#include "trainer/train/memory_ladder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mozgach {
namespace {

using ::testing::ElementsAre;

std::vector<Example> Rows(const std::vector<size_t>& lengths) {
  std::vector<Example> rows;
  for (const size_t length : lengths) {
    Example row;
    row.ids.assign(length, 1);
    row.trained.assign(length, 1);
    rows.push_back(row);
  }
  return rows;
}

TEST(MemoryLadderTest, EachRungNeedsLessThanTheOneBefore) {
  const MemoryLadder ladder(4, Recompute::kNothing);
  std::vector<int64_t> parts;
  std::vector<Recompute> recomputes;
  for (int64_t rung = 0; rung <= ladder.lowest(); ++rung) {
    parts.push_back(ladder.At(rung).parts);
    recomputes.push_back(ladder.At(rung).recompute);
  }
  constexpr Recompute kNothing = Recompute::kNothing, kLayers = Recompute::kLayers;
  EXPECT_THAT(parts, ElementsAre(1, 2, 4, 4, 4, 4, 4));
  EXPECT_THAT(recomputes, ElementsAre(kNothing, kNothing, kNothing, Recompute::kCheap, kLayers,
                                      kLayers, kLayers));
  EXPECT_EQ(ladder.At(4).loss_chunk_bytes, 0);
  EXPECT_GT(ladder.At(5).loss_chunk_bytes, ladder.At(6).loss_chunk_bytes);
  EXPECT_EQ(ladder.At(99).loss_chunk_bytes, ladder.At(6).loss_chunk_bytes);
}

TEST(MemoryLadderTest, SkipsRungsThatAreAlreadyConfigured) {
  EXPECT_EQ(MemoryLadder(1, Recompute::kNothing).lowest(), 4);
  EXPECT_EQ(MemoryLadder(1, Recompute::kLayers).lowest(), 2);
  EXPECT_EQ(MemoryLadder(4, Recompute::kNothing).Describe(4),
            "each micro-batch runs in 4 parts, layers are recomputed");
  EXPECT_EQ(MemoryLadder(4, Recompute::kLayers).Describe(0), "the settings are unchanged");
}

TEST(MemoryLadderTest, PartsKeepOrderAndBalanceTokens) {
  const auto rows = Rows({10, 30, 20, 20, 40});
  const MicroBatch batch = {{{4, 0}, 50}, {{1, 2, 3}, 70}};
  const auto halves = InParts(rows, batch, 2);
  ASSERT_EQ(halves.size(), 2u);
  EXPECT_THAT(halves[0].front().examples, ElementsAre(4, 0));
  EXPECT_THAT(halves[1].front().examples, ElementsAre(1, 2, 3));
  EXPECT_EQ(halves[1].front().tokens, 70);
  std::vector<int32_t> all;
  for (const MicroBatch& part : InParts(rows, batch, 64)) {
    ASSERT_EQ(part.size(), 1u);
    all.insert(all.end(), part[0].examples.begin(), part[0].examples.end());
  }
  EXPECT_THAT(all, ElementsAre(4, 0, 1, 2, 3));
  EXPECT_EQ(InParts(rows, batch, 64).size(), 5u);
  EXPECT_EQ(InParts(rows, batch, 1).size(), 1u);
}

}  // namespace
}  // namespace mozgach
