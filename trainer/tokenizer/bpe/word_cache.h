// A WordCache remembers the tokens of the words met last: texts repeat themselves.
//
// Bounded (1.5 MB): each word has one place, where it displaces another; words and results that are
// long are not kept.  For one thread at a time.
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

  // Appends the tokens of `word`; false when they are not known.
  bool Find(std::string_view word, std::vector<Token>* tokens) const;

  // Remembers tokens[first…] as those of `word`.
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
