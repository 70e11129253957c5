// Finds added tokens in a text before the text is processed further: tokenizer.json's
// "added_tokens", special or not.
//
// Tokens that are not `normalized` are searched for in the raw text, the others in the normalized
// rest. Immutable after loading; thread-safe.
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
  bool special;      // omitted when decoding with skip_special; not parsed in ordinary text
  bool single_word;  // matches only if no word character is next to it
  bool lstrip;       // includes the white space before it
  bool rstrip;       // includes the white space after it
  bool normalized;
  int64_t declared_id = -1;  // the id in the file; differs from `id` if the file leaves a gap
};

// An added token in a text.
struct Occurrence {
  const AddedToken* token;
  Span span;           // including the white space that the token takes
  size_t content_end;  // end of the token's own text
};

// Finds the longest of a set of texts, leftmost first.
class AddedTokenMatcher {
 public:
  // `token` must outlive this. If two tokens have the same text, the first one is used.
  void Add(std::string_view text, const AddedToken* token);

  bool empty() const { return edges_.empty(); }

  // Returns the occurrences in `text`, in order, for which may_parse(token, span) is true.
  using MayParse = absl::FunctionRef<bool(const AddedToken&, Span)>;
  std::vector<Occurrence> FindAll(std::string_view text, MayParse may_parse) const;

 private:
  Occurrence LongestAt(std::string_view text, size_t begin, MayParse may_parse) const;

  std::array<bool, 256> begins_ = {};                // the first bytes of all texts
  absl::flat_hash_map<uint64_t, int32_t> edges_;     // node << 8 | byte → node; 0 is the root
  std::vector<const AddedToken*> ends_ = {nullptr};  // by node: the token that ends at it, or null
};

// Returns the id for a new added token, as tokenizers' add_tokens does.
int32_t NextAddedId(const Vocabulary& vocabulary, const Vocabulary& names);

// Reads a list of {"id", "content", "special", …}. `vocabulary` is the model's. All texts and ids
// are added to `names`. Like tokenizers, this numbers the tokens that are not in the vocabulary in
// list order: an "id" that leaves a gap has no effect. INVALID_ARGUMENT if an id belongs to another
// token.
absl::StatusOr<std::vector<AddedToken>> ReadAddedTokens(const std::vector<JsonObject>& list,
                                                        const Vocabulary& vocabulary,
                                                        Vocabulary* names);

}  // namespace mozgach
