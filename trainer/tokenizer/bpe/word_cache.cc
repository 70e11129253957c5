#include "trainer/tokenizer/bpe/word_cache.h"

#include <algorithm>
#include <functional>

namespace mozgach {

size_t WordCache::Place(std::string_view word) {
  return std::hash<std::string_view>()(word) % kEntries;
}

bool WordCache::Find(std::string_view word, std::vector<Token>* tokens) const {
  if (word.empty() || word.size() > kWordBytesMax) return false;
  const Entry& entry = entries_[Place(word)];
  if (std::string_view(entry.word.data(), entry.word_bytes) != word) return false;
  for (size_t i = 0; i < entry.tokens; ++i) tokens->push_back({entry.ids[i], entry.bytes[i]});
  return true;
}

void WordCache::Put(std::string_view word, const std::vector<Token>& tokens, size_t first) {
  const size_t count = tokens.size() - first;
  if (word.empty() || word.size() > kWordBytesMax || count > kTokensMax) return;
  Entry& entry = entries_[Place(word)];
  entry.word_bytes = static_cast<uint8_t>(word.size());
  entry.tokens = static_cast<uint8_t>(count);
  std::copy(word.begin(), word.end(), entry.word.begin());
  for (size_t i = 0; i < count; ++i) {
    entry.ids[i] = tokens[first + i].id;
    entry.bytes[i] = static_cast<uint8_t>(tokens[first + i].bytes);
  }
}

}  // namespace mozgach
