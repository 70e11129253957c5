// AddedTokens are found in a text before anything else is done with it: tokenizer.json's
// "added_tokens", special ones and others.
//
// Those that are not `normalized` are looked for in the text as it comes, the others in what the
// normalizer makes of the rest.  Immutable after loading; safe from any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "common/status.h"
#include "trainer/tokenizer/bpe/vocabulary.h"
#include "trainer/tokenizer/text/json_object.h"
#include "trainer/tokenizer/text/regex.h"

namespace mozgach {

struct AddedToken {
  int32_t id;
  std::string content;
  bool special;  // left out by a decoder that skips special tokens; never parsed in ordinary text
  bool single_word;  // only where no word character stands beside it
  bool lstrip;       // takes in the white space before it
  bool rstrip;       // and after it
  bool normalized;
  int64_t declared_id = -1;  // in the file; another than `id` where the file leaves a gap
};

// An added token in a text.
struct Occurrence {
  const AddedToken* token;
  Span span;           // with the white space that it takes in
  size_t content_end;  // where its own text ends
};

// Finds the longest of a set of texts, leftmost first.
class AddedTokenMatcher {
 public:
  // `token` must outlive this.  The first of two tokens with the same text counts.
  void Add(std::string_view text, const AddedToken* token);

  bool empty() const { return edges_.empty(); }

  // The occurrences in `text`, in order.  A token counts only where may_parse(token, span) says so.
  using MayParse = absl::FunctionRef<bool(const AddedToken&, Span)>;
  std::vector<Occurrence> FindAll(std::string_view text, MayParse may_parse) const;

 private:
  Occurrence LongestAt(std::string_view text, size_t begin, MayParse may_parse) const;

  std::array<bool, 256> begins_ = {};                // bytes that some text begins with
  absl::flat_hash_map<uint64_t, int32_t> edges_;     // node << 8 | byte → node; 0 is the root
  std::vector<const AddedToken*> ends_ = {nullptr};  // by node: the token that ends there
};

// The id that a new added token gets, as in tokenizers' add_tokens.
int32_t NextAddedId(const Vocabulary& vocabulary, const Vocabulary& names);

// Reads a list of {"id", "content", "special", …}. `vocabulary` is the model's; all texts and ids
// go to `names`. Like tokenizers, this numbers the tokens that are not in the vocabulary in the
// order of the list: an "id" that leaves a gap has no effect. INVALID_ARGUMENT when an id belongs
// to another token.
absl::StatusOr<std::vector<AddedToken>> ReadAddedTokens(const std::vector<JsonObject>& list,
                                                        const Vocabulary& vocabulary,
                                                        Vocabulary* names);

}  // namespace mozgach
