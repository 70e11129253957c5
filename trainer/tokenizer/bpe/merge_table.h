// A MergeTable maps a pair of neighbouring tokens to its merge: the rank and the resulting token.
// Immutable after Build(); thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/status.h"
#include "trainer/tokenizer/bpe/merge_list.h"
#include "trainer/tokenizer/bpe/vocabulary.h"

namespace mozgach {

class MergeTable {
 public:
  struct Merge {
    uint32_t rank;  // the smallest rank is applied first
    int32_t result;
  };

  // A pair that is listed twice has its last rank, as in Hugging Face's tokenizers.
  // INVALID_ARGUMENT names a merge whose parts or result are not in the vocabulary.
  static absl::StatusOr<MergeTable> Build(const MergeList& list, const Vocabulary& vocabulary);

  // Returns null if the pair has no merge.
  const Merge* Find(int32_t left, int32_t right) const {
    const uint64_t key = Key(left, right);
    for (size_t slot = Hash(key) >> shift_;; slot = (slot + 1) & (slots_.size() - 1)) {
      if (slots_[slot].key == key) return &slots_[slot].merge;
      if (slots_[slot].key == kFree) return nullptr;
    }
  }

  // Calls visit(left, right) for every pair, in no particular order.
  template <typename Visitor>
  void ForEachPair(Visitor visit) const {
    for (const Slot& slot : slots_) {
      if (slot.key != kFree) {
        visit(static_cast<int32_t>(slot.key >> 32), static_cast<int32_t>(slot.key & UINT32_MAX));
      }
    }
  }

 private:
  static constexpr uint64_t kFree = UINT64_MAX;

  struct Slot {
    uint64_t key = kFree;
    Merge merge = {};
  };

  static uint64_t Key(int32_t left, int32_t right) {
    return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
  }
  // Fibonacci hashing: the slot is in the high bits of the product.
  static uint64_t Hash(uint64_t key) { return (key ^ key >> 29) * UINT64_C(0x9E3779B97F4A7C15); }

  explicit MergeTable(size_t merges);
  void Put(int32_t left, int32_t right, Merge merge);

  std::vector<Slot> slots_;  // open addressing, at most half full; a power of two
  int shift_;
};

}  // namespace mozgach
