// A KvCache holds keys and values of the tokens seen so far, for a batch of sequences of different
// lengths.  Plain value; filled by CausalLm::Prefill() and Decode().
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace mozgach {

struct KvCache {
  struct Layer {
    at::Tensor keys;    // [sequences, capacity, kv_heads, head_dim], with rotary embedding
    at::Tensor values;  // the same
  };
  std::vector<Layer> layers;
  std::vector<int64_t> lengths;  // tokens of each sequence; what lies behind them means nothing
  int64_t capacity = 0;          // tokens per sequence there is room for

  int64_t sequences() const { return static_cast<int64_t>(lengths.size()); }

  // Makes room for `capacity` tokens per sequence.
  void Grow(int64_t capacity);

  // Keeps the sequences at these places, in this order.
  void Keep(const std::vector<int64_t>& sequences);
};

}  // namespace mozgach
