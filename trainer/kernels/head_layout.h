// Layout of a token's heads in one row.
#pragma once

#include <cstdint>

namespace mozgach {

// Heads of one row: q, then k, then v, each of `head_dim` elements.
struct HeadLayout {
  int64_t heads = 0;
  int64_t kv_heads = 0;
  int64_t head_dim = 0;

  int64_t row() const { return (heads + 2 * kv_heads) * head_dim; }
};

}  // namespace mozgach
