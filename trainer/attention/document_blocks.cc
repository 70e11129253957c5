#include "trainer/attention/document_blocks.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <numeric>

namespace mozgach {
namespace {

// A document may be shorter than the longest of its block by this many tokens: padding costs less
// than another block.
constexpr int64_t kFreePadding = 16;

std::vector<DocumentBlocks::Block> GroupBySimilarLength(const std::vector<int64_t>& lengths) {
  std::vector<int64_t> order(lengths.size());
  std::iota(order.begin(), order.end(), 0);
  auto length_of = [&](int64_t document) { return lengths[static_cast<size_t>(document)]; };
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return length_of(a) > length_of(b); });
  std::vector<DocumentBlocks::Block> blocks;
  for (int64_t document : order) {
    const int64_t length = length_of(document);
    if (length == 0) break;
    if (blocks.empty() ||
        blocks.back().length - length > std::max(kFreePadding, blocks.back().length / 4)) {
      blocks.emplace_back();
      blocks.back().length = length;
    }
    blocks.back().documents.push_back(document);
  }
  return blocks;
}

}  // namespace

DocumentBlocks::DocumentBlocks(const std::vector<int64_t>& offsets, at::Device device) {
  std::vector<int64_t> lengths;
  for (size_t i = 0; i + 1 < offsets.size(); ++i) lengths.push_back(offsets[i + 1] - offsets[i]);
  tokens = offsets.empty() ? 0 : offsets.back();
  blocks = GroupBySimilarLength(lengths);
  for (Block& block : blocks) {
    block.first_slot = slots;
    slots += block.slots();
    longest = std::max(longest, block.length);
  }
  token_of_slot = at::empty({slots}, at::kLong).fill_(-1);
  slot_of_token = at::empty({tokens}, at::kLong);
  position_of_token = at::empty({tokens}, at::kLong);
  auto* token_of = token_of_slot.mutable_data_ptr<int64_t>();
  auto* slot_of = slot_of_token.mutable_data_ptr<int64_t>();
  auto* position_of = position_of_token.mutable_data_ptr<int64_t>();
  bool in_order = true;
  for (const Block& block : blocks) {
    for (int64_t row = 0; row < block.rows(); ++row) {
      const auto document = static_cast<size_t>(block.documents[static_cast<size_t>(row)]);
      for (int64_t i = 0; i < lengths[document]; ++i) {
        const int64_t token = offsets[document] + i;
        const int64_t slot = block.first_slot + row * block.length + i;
        token_of[slot] = token;
        slot_of[token] = slot;
        position_of[token] = i;
        in_order = in_order && token == slot;
      }
    }
  }
  identity = blocks.size() == 1 && slots == tokens && in_order;
  token_of_slot = token_of_slot.to(device);
  slot_of_token = slot_of_token.to(device);
  position_of_token = position_of_token.to(device);
}

}  // namespace mozgach
