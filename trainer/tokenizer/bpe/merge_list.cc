#include "trainer/tokenizer/bpe/merge_list.h"

namespace mozgach {

void MergeList::Add(std::string_view left, std::string_view right) {
  texts_ += left;
  ends_.push_back(static_cast<uint32_t>(texts_.size()));
  texts_ += right;
  ends_.push_back(static_cast<uint32_t>(texts_.size()));
}

std::string_view MergeList::Part(size_t index) const {
  const size_t begin = index == 0 ? 0 : ends_[index - 1];
  return std::string_view(texts_).substr(begin, ends_[index] - begin);
}

std::string_view MergeList::Joined(size_t rank) const {
  const size_t begin = rank == 0 ? 0 : ends_[2 * rank - 1];
  return std::string_view(texts_).substr(begin, ends_[2 * rank + 1] - begin);
}

}  // namespace mozgach
