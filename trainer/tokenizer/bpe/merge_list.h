// A MergeList holds the entries of tokenizer.json's "merges": pairs of token texts, by rank.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mozgach {

class MergeList {
 public:
  void Add(std::string_view left, std::string_view right);

  size_t size() const { return ends_.size() / 2; }

  // Valid until the next Add(). REQUIRES: rank < size().
  std::string_view Left(size_t rank) const { return Part(2 * rank); }
  std::string_view Right(size_t rank) const { return Part(2 * rank + 1); }
  std::string_view Joined(size_t rank) const;  // left and right concatenated

 private:
  std::string_view Part(size_t index) const;

  std::string texts_;
  std::vector<uint32_t> ends_;  // ends of the texts in texts_, two per merge
};

}  // namespace mozgach
