#include "trainer/attention/kv_cache.h"

#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

namespace mozgach {
namespace {

at::Tensor Grown(const at::Tensor& kept, int64_t capacity) {
  at::Tensor grown =
      at::zeros({kept.size(0), capacity, kept.size(2), kept.size(3)}, kept.options());
  grown.narrow(1, 0, kept.size(1)).copy_(kept);
  return grown;
}

}  // namespace

void KvCache::Grow(int64_t new_capacity) {
  if (new_capacity <= capacity) return;
  for (Layer& layer : layers) {
    layer.keys = Grown(layer.keys, new_capacity);
    layer.values = Grown(layer.values, new_capacity);
  }
  capacity = new_capacity;
}

void KvCache::Keep(const std::vector<int64_t>& sequences) {
  std::vector<int64_t> kept_lengths;
  for (int64_t sequence : sequences) kept_lengths.push_back(lengths[static_cast<size_t>(sequence)]);
  lengths = std::move(kept_lengths);
  if (layers.empty()) return;
  const at::Tensor places = at::tensor(sequences, at::kLong).to(layers[0].keys.device());
  for (Layer& layer : layers) {
    layer.keys = at::index_select(layer.keys, 0, places);
    layer.values = at::index_select(layer.values, 0, places);
  }
}

}  // namespace mozgach
