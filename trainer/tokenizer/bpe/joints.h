// Joints are the places where merging could ever join two neighbouring symbols.
//
// Where no merge's left side ends with the one while its right side begins with the other, nothing
// will ever join them, and a long word can be cut there without changing its tokens: what comes
// before and what comes after are encoded each for itself.  Immutable; safe from any thread.
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
  bool anything_ = false;  // a merge of symbols whose text is not what they stand for: cut nowhere
};

}  // namespace mozgach
