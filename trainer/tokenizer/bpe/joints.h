// Joints tells which pairs of neighbouring symbols a merge can ever join.
//
// If no merge has a left side that ends with the first symbol and a right side that begins with the
// second one, the two are never joined. A long word can then be cut between them and both parts
// encoded separately, with the same result. Immutable; thread-safe.
#pragma once

#include <cstdint>

#include "absl/container/flat_hash_set.h"
#include "trainer/tokenizer/bpe/merge_table.h"
#include "trainer/tokenizer/bpe/symbols.h"

namespace mozgach {

class Joints {
 public:
  Joints(const MergeTable& merges, const Symbols& symbols);

  bool MayJoin(int32_t left, int32_t right) const {
    return anything_ || pairs_.contains(Key(left, right));
  }

 private:
  static uint64_t Key(int32_t left, int32_t right) {
    return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
  }

  absl::flat_hash_set<uint64_t> pairs_;
  bool anything_ = false;  // some merge has a part whose text is not what it stands for: never cut
};

}  // namespace mozgach
