// A Normalizer rewrites a text before it is cut into words: tokenizer.json's "normalizer".
//
// Types: NFC, NFD, NFKC, NFKD, Lowercase, Strip, Prepend, Replace, Sequence. Immutable;
// thread-safe.
#pragma once

#include <memory>

#include "common/status.h"
#include "trainer/tokenizer/text/json_object.h"
#include "trainer/tokenizer/text/tracked_text.h"

namespace mozgach {

class Normalizer {
 public:
  // INVALID_ARGUMENT names an unsupported type or setting.
  static absl::StatusOr<std::unique_ptr<Normalizer>> FromJson(const JsonObject& json);

  virtual ~Normalizer() = default;

  // REQUIRES: the text is UTF-8.
  virtual absl::Status Apply(TrackedText* text) const = 0;
};

}  // namespace mozgach
