#include "planner/attention_memory.h"

#include <algorithm>

namespace mozgach {
namespace {

// Per thread, what the CPU's kernel makes its products in: a block of queries against a block of
// keys, and a block of results.
constexpr int64_t kKeyBlock = 512;

int64_t QueryBlock(int64_t length) { return length >= 768 ? 256 : length >= 192 ? 64 : 32; }

}  // namespace

AttentionMemory AttentionOf(const ModelConfig& config, int64_t layer, const StepShape& shape,
                            const ComputeSetup& setup) {
  const int64_t element = setup.attention_element();
  const int64_t heads = config.num_attention_heads, kv_heads = config.num_key_value_heads;
  const int64_t window = config.windows[static_cast<size_t>(layer)];
  const int64_t queries = shape.slots * heads * config.head_dim * element;
  const int64_t keys = shape.slots * kv_heads * config.head_dim * element;
  AttentionMemory memory;
  memory.split = queries + 2 * keys;
  memory.queries = queries;
  memory.result = queries;
  memory.rows = shape.slots * heads * 4;
  const bool folds = window > 0 && shape.longest > window;
  const int64_t documents =
      folds ? shape.documents * ((shape.longest - 1) / window) : shape.documents;
  const bool shared = heads == kv_heads || documents * kv_heads >= 2 * setup.threads;
  if (folds) memory.folded = queries + 4 * keys;
  memory.summed = !shared;
  // A single head is repeated without a copy.
  if (!shared && kv_heads > 1) memory.repeated = (folds ? 4 : 2) * queries;
  memory.gradients = queries + (shared ? 2 * keys : 2 * queries);
  if (folds) memory.gradients += shared ? 2 * keys : 2 * queries;
  const int64_t block = QueryBlock(shape.longest);
  const int64_t key_block = std::min(kKeyBlock, shape.longest);
  memory.forward_work =
      setup.threads * 4 * (block * key_block + 2 * block + block * config.head_dim);
  memory.backward_work = setup.threads * 4 * 2 * block * key_block;
  return memory;
}

}  // namespace mozgach
