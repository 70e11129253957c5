// A PreTokenizer cuts a normalised text into words (tokenizer.json's "pre_tokenizer"). The model
// then encodes each word separately.
//
// Types: Split, ByteLevel, Digits, Metaspace, Sequence. Immutable; thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "common/status.h"
#include "trainer/tokenizer/text/json_object.h"
#include "trainer/tokenizer/text/regex.h"
#include "trainer/tokenizer/text/tracked_text.h"

namespace mozgach {

// A text and its words so far: ascending, not overlapping, not empty.
struct Words {
  TrackedText text;
  std::vector<Span> spans;
  bool at_start = false;  // the text begins at the start of the whole input
};

class PreTokenizer {
 public:
  // INVALID_ARGUMENT names an unsupported type or setting.
  static absl::StatusOr<std::unique_ptr<PreTokenizer>> FromJson(const JsonObject& json);

  virtual ~PreTokenizer() = default;

  // Cuts each word further; may rewrite the text. Errors: see Regex::FindInParts.
  virtual absl::Status Apply(Words* words) const = 0;

  // Returns true if the model reads the words as bytes, spelled as in byte_level.h, instead of
  // characters.
  virtual bool byte_level() const { return false; }
};

}  // namespace mozgach
