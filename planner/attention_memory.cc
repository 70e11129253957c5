#include "planner/attention_memory.h"

#include <algorithm>

namespace mozgach {
namespace {

// Per thread, what the CPU's kernel makes its products in: a block of queries against a block of
// keys, and a block of results.
constexpr int64_t kKeyBlock = 512;

int64_t QueryBlock(int64_t length) { return length >= 768 ? 256 : length >= 192 ? 64 : 32; }

// trainer/attention/tiled_attention.h, attention_tiles.h: a tile is kTile queries and as many keys.
constexpr int64_t kTile = 64;
constexpr int64_t kSquare = kTile * kTile;

AttentionMemory TiledAttentionOf(const ModelConfig& config, const StepShape& shape,
                                 const ComputeSetup& setup) {
  const int64_t heads = config.num_attention_heads, kv_heads = config.num_key_value_heads;
  const int64_t dim = config.head_dim, threads = setup.threads;
  AttentionMemory memory;
  memory.queries = shape.slots * heads * dim * setup.element;
  const int64_t keys = 2 * shape.slots * kv_heads * dim * setup.element;
  memory.split = memory.queries + keys;
  memory.result = memory.queries;
  memory.rows = shape.slots * heads * 4;
  memory.gradients = memory.split;
  // Keys or values transposed, in whole tiles; each thread's tiles, and its queries and sums.
  const int64_t length = shape.longest;
  const int64_t pairs = std::max<int64_t>(1, shape.documents) * kv_heads;
  const int64_t transposed = pairs * dim * ((length + kTile - 1) / kTile * kTile) * 2;
  memory.forward_work = transposed + threads * (6 * kSquare + 4 * kTile * 4 + 6 * dim * kTile);
  // Gradients of keys and values in float32, of as many heads as are worked at.
  const int64_t slices = std::min(heads / kv_heads, (threads + pairs - 1) / pairs);
  const int64_t at_once = slices == 1 ? std::min(threads, pairs) : pairs * slices;
  memory.backward_work = transposed + threads * (14 * kSquare + 3 * kTile * 4 + 12 * dim * kTile) +
                         at_once * 2 * length * dim * 4;
  return memory;
}

}  // namespace

// Windows on devices whose kernels know none (windowed_attention.cc): the first window, and the
// others, each against itself and the one before.
void Fold(const ModelConfig& config, const StepShape& shape, const ComputeSetup& setup,
          int64_t window, AttentionMemory& memory) {
  const int64_t element = setup.attention_element(config.head_dim);
  const int64_t heads = config.num_attention_heads, kv_heads = config.num_key_value_heads;
  const int64_t query = heads * config.head_dim * element,
                key = kv_heads * config.head_dim * element;
  const int64_t blocks = (shape.longest + window - 1) / window;
  const int64_t length = blocks * window;
  const int64_t slots = shape.documents * length;
  const int64_t later = shape.documents * (blocks - 1);  // blocks
  memory.padded = length != shape.longest;
  if (memory.padded) memory.folded += slots * (query + 2 * key);
  if (blocks > 2) memory.folded += later * window * query;
  memory.folded += later * window * 4 * key + 2 * window * window * element;  // the mask
  const auto shared = [&](int64_t documents) {
    return heads == kv_heads || documents * kv_heads >= 2 * setup.threads;
  };
  // A single head is repeated without a copy.
  if (kv_heads > 1 && !shared(shape.documents))
    memory.repeated += shape.documents * window * 2 * query;
  if (kv_heads > 1 && !shared(later)) memory.repeated += later * window * 4 * query;
  memory.summed = !shared(later);
  memory.copied = true;
  memory.result = slots * query;
  memory.rows = slots * heads * 4;
  memory.gradients = slots * (query + (shared(later) ? 4 * key : 4 * query));
}

AttentionMemory AttentionOf(const ModelConfig& config, int64_t layer, const StepShape& shape,
                            const ComputeSetup& setup) {
  if (setup.TilesAttention(config.head_dim)) return TiledAttentionOf(config, shape, setup);
  const int64_t element = setup.attention_element(config.head_dim);
  const int64_t heads = config.num_attention_heads, kv_heads = config.num_key_value_heads;
  const int64_t window = config.windows[static_cast<size_t>(layer)];
  const int64_t queries = shape.slots * heads * config.head_dim * element;
  const int64_t keys = shape.slots * kv_heads * config.head_dim * element;
  AttentionMemory memory;
  memory.split = queries + 2 * keys;
  memory.queries = queries;
  if (window > 0 && shape.longest > window) {
    Fold(config, shape, setup, window, memory);
  } else {
    const bool shared = heads == kv_heads || shape.documents * kv_heads >= 2 * setup.threads;
    memory.result = queries;
    memory.rows = shape.slots * heads * 4;
    memory.summed = !shared;
    if (!shared && kv_heads > 1) memory.repeated = 2 * queries;
    memory.gradients = queries + (shared ? 2 * keys : 2 * queries);
  }
  const int64_t block = QueryBlock(shape.longest);
  const int64_t key_block = std::min(kKeyBlock, shape.longest);
  memory.forward_work =
      setup.threads * 4 * (block * key_block + 2 * block + block * config.head_dim);
  memory.backward_work = setup.threads * 4 * 2 * block * key_block;
  return memory;
}

}  // namespace mozgach
