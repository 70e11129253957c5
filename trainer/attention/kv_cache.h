// A KvCache holds the keys and values of the tokens so far for a batch of sequences with different
// lengths. A plain value, filled by CausalLm::Prefill() and Decode().
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace mozgach {

struct KvCache {
  struct Layer {
    at::Tensor keys;    // [sequences, capacity, kv_heads, head_dim], with rotary embedding
    at::Tensor values;  // as `keys`, without rotary embedding
  };
  std::vector<Layer> layers;
  std::vector<int64_t> lengths;  // tokens of each sequence; the data after them is undefined
  int64_t capacity = 0;          // tokens per sequence that fit

  int64_t sequences() const { return static_cast<int64_t>(lengths.size()); }

  // Makes room for `capacity` tokens per sequence.
  void Grow(int64_t capacity);

  // Keeps only the sequences at these indices, in this order.
  void Keep(const std::vector<int64_t>& sequences);
};

}  // namespace mozgach
