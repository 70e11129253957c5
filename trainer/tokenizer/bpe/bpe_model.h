// A BpeModel turns words into tokens by byte-pair encoding (tokenizer.json's "model").
//
// Immutable except for the pool of working memory. Thread-safe.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "common/mutex.h"
#include "common/status.h"
#include "trainer/tokenizer/bpe/joints.h"
#include "trainer/tokenizer/bpe/merge_table.h"
#include "trainer/tokenizer/bpe/symbols.h"
#include "trainer/tokenizer/bpe/vocabulary.h"
#include "trainer/tokenizer/bpe/word_cache.h"
#include "trainer/tokenizer/bpe/word_merge.h"
#include "trainer/tokenizer/text/json_object.h"

namespace mozgach {

class BpeModel {
 public:
  // Working memory of one encoding thread.
  class Room;

  // `vocabulary` must outlive the result. Words are sequences of bytes if `byte_level`, else of
  // characters. INVALID_ARGUMENT names an unsupported model type or setting, a merge of tokens that
  // are not in the vocabulary, or a missing unk_token.
  static absl::StatusOr<std::unique_ptr<BpeModel>> Make(const JsonObject& json, bool byte_level,
                                                        const Vocabulary& vocabulary,
                                                        const MergeList& merges);

  // Borrows a Room for Encode() and returns it to the pool when destroyed.
  class Lease {
   public:
    explicit Lease(const BpeModel& model);
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Room* get() const { return room_.get(); }

   private:
    const BpeModel& model_;
    std::unique_ptr<Room> room_;
  };

  ~BpeModel();

  // Appends the tokens of `word`, in order. Their byte counts add up to the size of the word,
  // unless all of its characters are omitted (see Symbols). O(n log n). REQUIRES: `word` is UTF-8;
  // `room` is leased from this model.
  void Encode(std::string_view word, Room* room, std::vector<Token>* tokens) const;

 private:
  BpeModel(bool byte_level, bool ignore_merges, const Vocabulary& vocabulary, MergeTable merges,
           Symbols symbols);

  int32_t WholeToken(std::string_view word) const;
  void EncodeRuns(std::string_view word, Room* room, std::vector<Token>* tokens) const;
  void EncodeRun(std::string_view run, std::span<const Token> symbols, Room* room,
                 std::vector<Token>* tokens) const;

  const bool byte_level_;
  const bool ignore_merges_;  // a word that is in the vocabulary becomes one token, without merges
  const Vocabulary& vocabulary_;
  const MergeTable merges_;
  const Symbols symbols_;
  const Joints joints_;

  mutable Mutex mutex_;
  mutable std::vector<std::unique_ptr<Room>> rooms_
      ABSL_GUARDED_BY(mutex_);  // rooms that are not leased
};

}  // namespace mozgach
