// The pre-tokenizer Metaspace: spaces become "▁", and words begin at it.
#pragma once

#include <memory>
#include <string>

#include "common/status.h"
#include "trainer/tokenizer/text/json_object.h"
#include "trainer/tokenizer/text/pre_tokenizer.h"

namespace mozgach {

// What the pre-tokenizer and the decoder of this name share: {"replacement": "▁",
// "prepend_scheme": "always" | "first" | "never", "split": true}; older files have
// "add_prefix_space" in the place of the scheme.
struct MetaspaceSettings {
  enum class Prepend { kNever, kFirst, kAlways };

  static absl::StatusOr<MetaspaceSettings> FromJson(const JsonObject& json);

  std::string replacement;  // one character
  Prepend prepend = Prepend::kAlways;
  bool split = true;
};

absl::StatusOr<std::unique_ptr<PreTokenizer>> MakeMetaspace(const JsonObject& json);

}  // namespace mozgach
