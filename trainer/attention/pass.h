// A Pass holds the data of one run through the layers: the adapter, the documents and their
// positions, and the cache of keys and values during generation.
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

  // True if cheap results are not saved but computed again in backward.
  bool RemakesCheapParts() const {
    return recompute == Recompute::kCheap && at::GradMode::is_enabled();
  }

  // Whole documents: training, evaluation, prompts.
  std::shared_ptr<const DocumentBlocks> blocks;

  // The cache for generation; null otherwise. With `blocks`, the keys and values of document i are
  // stored in sequence i. Without `blocks`, each row of x is the next token of a sequence.
  KvCache* cache = nullptr;
  at::Tensor cache_positions;    // [sequences] int64: the next token's position within its sequence
  at::Tensor cache_rows;         // [sequences] int64: the same, numbered through all sequences
  at::Tensor cache_mask;         // [sequences, 1, 1, longest + 1] float32: 0; -inf after the token
  at::Tensor cache_window_mask;  // the same, and -inf outside of the window
};

}  // namespace mozgach
