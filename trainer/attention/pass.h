// A Pass is what one run through the layers carries along: the adapter, the documents and their
// places, and where generation keeps keys and values.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <memory>
#include <vector>

#include "trainer/attention/document_blocks.h"
#include "trainer/attention/kv_cache.h"
#include "trainer/attention/recompute.h"
#include "trainer/attention/rotary.h"
#include "trainer/lora/adapted_linear.h"

namespace mozgach {

struct Pass {
  LoraContext lora;
  const std::vector<RotaryTable>* rotary = nullptr;  // as ModelConfig::ropes

  Recompute recompute = Recompute::kNothing;
  int64_t recomputed_layers = kEveryLayer;

  // Whether what is cheap to make is not kept, but made again in backward.
  bool RemakesCheapParts() const {
    return recompute == Recompute::kCheap && at::GradMode::is_enabled();
  }

  // Whole documents: training, evaluation, prompts.
  std::shared_ptr<const DocumentBlocks> blocks;

  // Generation: null without.  With `blocks` the documents' keys and values are put into it,
  // sequence by sequence; without, each row of x is the next token of a sequence.
  KvCache* cache = nullptr;
  at::Tensor cache_positions;  // [sequences] int64: where the next token goes, within its sequence
  at::Tensor cache_rows;       // [sequences] int64: the same, counted through all sequences
  at::Tensor cache_mask;       // [sequences, 1, 1, longest + 1] float32: 0; -inf behind the token
  at::Tensor cache_window_mask;  // the same, and -inf where layers with a window do not look
};

}  // namespace mozgach
