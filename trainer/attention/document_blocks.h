// DocumentBlocks say how the documents of a batch go through attention: those of similar length
// side by side, padded on the right, in blocks [documents, length].  Causal attention needs no mask
// then: no token sees the padding behind it, and what padding sees is dropped.
//
// A slot is a place in the blocks, counted through all of them; padding has slots, but no token.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace mozgach {

struct DocumentBlocks {
  struct Block {
    std::vector<int64_t> documents;  // in the batch's numbering, one per row
    int64_t length = 0;              // slots per row
    int64_t first_slot = 0;

    int64_t rows() const { return static_cast<int64_t>(documents.size()); }
    int64_t slots() const { return rows() * length; }
  };

  std::vector<Block> blocks;
  int64_t tokens = 0;
  int64_t slots = 0;
  int64_t longest = 0;  // tokens of the longest document
  // One block, no padding, the batch's order: slots are tokens.
  bool identity = false;

  // int64, on the device of the batch.
  at::Tensor token_of_slot;      // [slots], -1 for padding
  at::Tensor slot_of_token;      // [tokens]
  at::Tensor position_of_token;  // [tokens], within its document

  // `offsets`: documents + 1 entries from 0 up.  Empty documents are passed over.
  DocumentBlocks(const std::vector<int64_t>& offsets, at::Device device);
};

}  // namespace mozgach
