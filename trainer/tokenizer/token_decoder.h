// A TokenDecoder turns the texts of tokens into text (tokenizer.json's "decoder").
//
// Types: ByteLevel, ByteFallback, Fuse, Metaspace, Replace, Strip, Sequence. Immutable;
// thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/status.h"
#include "trainer/tokenizer/text/json_object.h"

namespace mozgach {

class TokenDecoder {
 public:
  // INVALID_ARGUMENT names an unsupported type or setting.
  static absl::StatusOr<std::unique_ptr<TokenDecoder>> FromJson(const JsonObject& json);

  virtual ~TokenDecoder() = default;

  // Rewrites `texts`. Their concatenation is the decoded text. Bytes that are not UTF-8 become
  // U+FFFD.
  virtual void Apply(std::vector<std::string>* texts) const = 0;
};

}  // namespace mozgach
