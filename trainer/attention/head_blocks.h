// Moves q, k and v from rows of tokens into DocumentBlocks, with rotation, and moves the result of
// attention back.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "trainer/attention/document_blocks.h"
#include "trainer/attention/rotary.h"
#include "trainer/kernels/head_layout.h"

namespace mozgach {

// The heads of one block, each [documents, length, heads, head_dim].
struct HeadBlock {
  at::Tensor q;
  at::Tensor k;
  at::Tensor v;
};

// Splits qkv [tokens, layout.row()] into rotated q, rotated k, and v of each block, in `type`.
// Differentiable.
std::vector<HeadBlock> SplitIntoBlocks(const at::Tensor& qkv, const HeadLayout& layout,
                                       const std::shared_ptr<const DocumentBlocks>& blocks,
                                       const RotaryTable& rotary, at::ScalarType type);

// Joins one [documents, length, size] per block to [tokens, size] in `type`; drops padding.
// Differentiable.
at::Tensor JoinBlocks(const std::vector<at::Tensor>& per_block,
                      const std::shared_ptr<const DocumentBlocks>& blocks, at::ScalarType type);

}  // namespace mozgach
