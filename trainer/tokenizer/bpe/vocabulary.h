// A Vocabulary maps the texts of tokens to ids and back.
//
// Texts are spelled as in tokenizer.json ("Ġhello" in byte-level BPE). Thread-safe after the last
// Add().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"

namespace mozgach {

class Vocabulary {
 public:
  static constexpr int64_t kIdsMax = INT64_C(1) << 22;

  // INVALID_ARGUMENT if `id` is not in [0, kIdsMax), or if the text or the id exists already.
  absl::Status Add(std::string_view text, int64_t id);

  // Returns -1 if the token does not exist.
  int32_t Find(std::string_view text) const;

  bool Has(int64_t id) const { return id >= 0 && id < end() && tokens_[id].begin != kAbsent; }
  // Valid until the next Add(). REQUIRES: Has(id).
  std::string_view Text(int32_t id) const;

  int32_t end() const { return static_cast<int32_t>(tokens_.size()); }  // highest id + 1
  size_t size() const { return size_; }

 private:
  static constexpr uint32_t kAbsent = UINT32_MAX;

  struct Token {
    uint32_t begin = kAbsent;  // in texts_
    uint32_t length = 0;
  };

  size_t SlotOf(std::string_view text) const;  // the slot of `text`, or the free slot for it
  void Grow();

  std::string texts_;
  std::vector<Token> tokens_;   // by id
  std::vector<int32_t> slots_;  // ids, -1: free; open addressing, size is a power of two
  size_t size_ = 0;
};

}  // namespace mozgach
