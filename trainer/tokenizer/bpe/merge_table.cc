#include "trainer/tokenizer/bpe/merge_table.h"

#include <bit>

#include "absl/strings/str_cat.h"

namespace mozgach {

MergeTable::MergeTable(size_t merges)
    : slots_(std::bit_ceil(2 * merges + 2)), shift_(64 - std::countr_zero(slots_.size())) {}

void MergeTable::Put(int32_t left, int32_t right, Merge merge) {
  const uint64_t key = Key(left, right);
  size_t slot = Hash(key) >> shift_;
  while (slots_[slot].key != key && slots_[slot].key != kFree) {
    slot = (slot + 1) & (slots_.size() - 1);
  }
  slots_[slot] = {key, merge};
}

absl::StatusOr<MergeTable> MergeTable::Build(const MergeList& list, const Vocabulary& vocabulary) {
  MergeTable table(list.size());
  for (size_t rank = 0; rank < list.size(); ++rank) {
    const auto find = [&](std::string_view text) -> absl::StatusOr<int32_t> {
      const int32_t id = vocabulary.Find(text);
      if (id >= 0) return id;
      return absl::InvalidArgumentError(absl::StrCat(
          "model.merges[", rank, "] ('", std::string(list.Left(rank)), "' and '",
          std::string(list.Right(rank)), "'): '", std::string(text), "' is not in model.vocab"));
    };
    ASSIGN_OR_RETURN(const int32_t left, find(list.Left(rank)));
    ASSIGN_OR_RETURN(const int32_t right, find(list.Right(rank)));
    ASSIGN_OR_RETURN(const int32_t result, find(list.Joined(rank)));
    table.Put(left, right, {static_cast<uint32_t>(rank), result});
  }
  return table;
}

}  // namespace mozgach
