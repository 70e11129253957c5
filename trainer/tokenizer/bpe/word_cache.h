// A WordCache caches the tokens of recent words.
//
// Fixed size (1.5 MB), direct-mapped: a word replaces the previous word in its slot. Long words and
// long results are not cached. Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "trainer/tokenizer/bpe/symbols.h"

namespace mozgach {

class WordCache {
 public:
  static constexpr size_t kWordBytesMax = 46;

  WordCache() : entries_(kEntries) {}

  // Appends the tokens of `word`. Returns false if the word is not cached.
  bool Find(std::string_view word, std::vector<Token>* tokens) const;

  // Stores tokens[first…] as the tokens of `word`.
  void Put(std::string_view word, const std::vector<Token>& tokens, size_t first);

 private:
  static constexpr size_t kEntries = 1 << 14;
  static constexpr size_t kTokensMax = 8;

  struct Entry {
    uint8_t word_bytes = 0;  // 0: free
    uint8_t tokens = 0;
    std::array<char, kWordBytesMax> word;
    std::array<uint8_t, kTokensMax> bytes;
    std::array<int32_t, kTokensMax> ids;
  };

  static size_t Place(std::string_view word);

  std::vector<Entry> entries_;
};

}  // namespace mozgach
