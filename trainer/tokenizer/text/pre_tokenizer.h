// A PreTokenizer cuts a normalised text into words, which the model then encodes one by one:
// tokenizer.json's "pre_tokenizer".
//
// Kinds: Split, ByteLevel, Digits, Metaspace, Sequence.  Immutable; safe from any thread.
#pragma once

#include <memory>
#include <vector>

#include "common/status.h"
#include "trainer/tokenizer/text/json_object.h"
#include "trainer/tokenizer/text/regex.h"
#include "trainer/tokenizer/text/tracked_text.h"

namespace mozgach {

// A text and the words that it has been cut into so far: ascending, not overlapping, not empty.
struct Words {
  TrackedText text;
  std::vector<Span> spans;
  bool at_start = false;  // whether this text begins where the whole input does
};

class PreTokenizer {
 public:
  // INVALID_ARGUMENT names a kind or a setting that we do not have.
  static absl::StatusOr<std::unique_ptr<PreTokenizer>> FromJson(const JsonObject& json);

  virtual ~PreTokenizer() = default;

  // Cuts each word further; may rewrite the text.  Errors: Regex::FindInParts.
  virtual absl::Status Apply(Words* words) const = 0;

  // Whether words are read by the model as bytes, spelled as in byte_level.h, instead of
  // characters.
  virtual bool byte_level() const { return false; }
};

}  // namespace mozgach
