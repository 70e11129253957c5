#include "trainer/attention/document_blocks.h"

#include <gtest/gtest.h>

namespace mozgach {
namespace {

std::vector<int64_t> Offsets(const std::vector<int64_t>& lengths) {
  std::vector<int64_t> offsets = {0};
  for (int64_t length : lengths) offsets.push_back(offsets.back() + length);
  return offsets;
}

void CheckEveryTokenHasItsSlot(const std::vector<int64_t>& lengths) {
  const auto offsets = Offsets(lengths);
  const DocumentBlocks blocks(offsets, at::kCPU);
  ASSERT_EQ(blocks.tokens, offsets.back());
  int64_t tokens_with_slots = 0;
  for (int64_t slot = 0; slot < blocks.slots; ++slot) {
    const int64_t token = blocks.token_of_slot.const_data_ptr<int64_t>()[slot];
    if (token < 0) continue;
    ++tokens_with_slots;
    EXPECT_EQ(blocks.slot_of_token.const_data_ptr<int64_t>()[token], slot);
  }
  EXPECT_EQ(tokens_with_slots, blocks.tokens);
  for (const auto& block : blocks.blocks) {
    for (int64_t row = 0; row < block.rows(); ++row) {
      const auto document = static_cast<size_t>(block.documents[static_cast<size_t>(row)]);
      for (int64_t i = 0; i < block.length; ++i) {
        const int64_t slot = block.first_slot + row * block.length + i;
        const int64_t token = blocks.token_of_slot.const_data_ptr<int64_t>()[slot];
        EXPECT_EQ(token, i < lengths[document] ? offsets[document] + i : -1);
        if (token >= 0) {
          EXPECT_EQ(blocks.position_of_token.const_data_ptr<int64_t>()[token], i);
        }
      }
    }
  }
}

TEST(DocumentBlocksTest, EveryTokenHasItsSlotForAllLengths) {
  for (const auto& lengths : std::vector<std::vector<int64_t>>{
           {1}, {5, 5, 5}, {100, 1}, {3, 90, 4, 88, 300, 2}, {0, 4, 0}, {17, 1, 33, 49}}) {
    CheckEveryTokenHasItsSlot(lengths);
  }
}

TEST(DocumentBlocksTest, OneDocumentOrEqualLengthsAreIdentity) {
  EXPECT_TRUE(DocumentBlocks(Offsets({70}), at::kCPU).identity);
  EXPECT_TRUE(DocumentBlocks(Offsets({8, 8, 8}), at::kCPU).identity);
  EXPECT_FALSE(DocumentBlocks(Offsets({8, 7}), at::kCPU).identity);
  EXPECT_FALSE(DocumentBlocks(Offsets({7, 8}), at::kCPU).identity);
}

TEST(DocumentBlocksTest, PaddingIsBounded) {
  std::vector<int64_t> lengths;
  for (int64_t i = 1; i <= 400; ++i) lengths.push_back(i * 5);
  const DocumentBlocks blocks(Offsets(lengths), at::kCPU);
  EXPECT_LT(blocks.slots, blocks.tokens * 5 / 4);
  EXPECT_LT(blocks.blocks.size(), 40u);
}

}  // namespace
}  // namespace mozgach
