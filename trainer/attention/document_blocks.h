// DocumentBlocks arrange the documents of a batch for attention: documents of similar length lie
// side by side in blocks [documents, length], padded on the right. Causal attention then needs no
// mask: padding follows all tokens, so no token attends to it, and the results of padding are
// dropped.
//
// A slot is a position in the blocks, numbered through all blocks. Padding has slots but no tokens.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace mozgach {

struct DocumentBlocks {
  struct Block {
    std::vector<int64_t> documents;  // indices in the batch, one per row
    int64_t length = 0;              // slots per row
    int64_t first_slot = 0;

    int64_t rows() const { return static_cast<int64_t>(documents.size()); }
    int64_t slots() const { return rows() * length; }
  };

  std::vector<Block> blocks;
  int64_t tokens = 0;
  int64_t slots = 0;
  int64_t longest = 0;  // tokens of the longest document
  // One block without padding in the batch's order: slots are tokens.
  bool identity = false;

  // int64 tensors on the batch's device.
  at::Tensor token_of_slot;      // [slots], -1 for padding
  at::Tensor slot_of_token;      // [tokens]
  at::Tensor position_of_token;  // [tokens], within its document

  // `offsets` has documents + 1 ascending entries from 0. Empty documents are skipped.
  DocumentBlocks(const std::vector<int64_t>& offsets, at::Device device);
};

}  // namespace mozgach
