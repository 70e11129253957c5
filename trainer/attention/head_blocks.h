// How q, k and v get from rows of tokens into the blocks of DocumentBlocks, rotated, and how
// attention's result gets back.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "trainer/attention/document_blocks.h"
#include "trainer/attention/rotary.h"
#include "trainer/kernels/head_layout.h"

namespace mozgach {

// One block's heads, each [documents, length, heads, head_dim].
struct HeadBlock {
  at::Tensor q;
  at::Tensor k;
  at::Tensor v;
};

// qkv [tokens, layout.row()] → per block q and k rotated and v, in `type`.  Differentiable.
std::vector<HeadBlock> SplitIntoBlocks(const at::Tensor& qkv, const HeadLayout& layout,
                                       const std::shared_ptr<const DocumentBlocks>& blocks,
                                       const RotaryTable& rotary, at::ScalarType type);

// Per block [documents, length, size] → [tokens, size] in `type`; padding is dropped.
// Differentiable.
at::Tensor JoinBlocks(const std::vector<at::Tensor>& per_block,
                      const std::shared_ptr<const DocumentBlocks>& blocks, at::ScalarType type);

}  // namespace mozgach
