// A BpeModel turns words into tokens by byte-pair encoding: tokenizer.json's "model".
//
// Immutable, but for the room that it lends to each thread that encodes; safe from any thread.
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
  // What one thread needs while it encodes.
  class Room;

  // `vocabulary` must outlive this.  With `byte_level` words are bytes, else characters.
  // INVALID_ARGUMENT names a model or a setting that we do not have, a merge of unknown tokens, an
  // unknown token that is not there.
  static absl::StatusOr<std::unique_ptr<BpeModel>> Make(const JsonObject& json, bool byte_level,
                                                        const Vocabulary& vocabulary,
                                                        const MergeList& merges);

  // Lends room for Encode(); it comes back by itself.
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

  // Appends the tokens of `word`; their bytes add up to the word's, in its order, unless all of it
  // was left out (see Symbols).  O(n log n).  REQUIRES: `word` is UTF-8; `room` is leased from this
  // model.
  void Encode(std::string_view word, Room* room, std::vector<Token>* tokens) const;

 private:
  BpeModel(bool byte_level, bool ignore_merges, const Vocabulary& vocabulary, MergeTable merges,
           Symbols symbols);

  int32_t WholeToken(std::string_view word) const;
  void EncodeRuns(std::string_view word, Room* room, std::vector<Token>* tokens) const;
  void EncodeRun(std::string_view run, std::span<const Token> symbols, Room* room,
                 std::vector<Token>* tokens) const;

  const bool byte_level_;
  const bool ignore_merges_;  // a word that is a token is that token
  const Vocabulary& vocabulary_;
  const MergeTable merges_;
  const Symbols symbols_;
  const Joints joints_;

  mutable Mutex mutex_;
  mutable std::vector<std::unique_ptr<Room>> rooms_
      ABSL_GUARDED_BY(mutex_);  // guarded by mutex_; those not lent
};

}  // namespace mozgach
