// The pre-tokenizer Metaspace replaces spaces by "▁" and begins a word at each "▁".
#pragma once

#include <memory>
#include <string>

#include "common/status.h"
#include "trainer/tokenizer/text/json_object.h"
#include "trainer/tokenizer/text/pre_tokenizer.h"

namespace mozgach {

// Settings of the Metaspace pre-tokenizer and decoder: {"replacement": "▁", "prepend_scheme":
// "always" | "first" | "never", "split": true}. Older files have "add_prefix_space" instead of the
// scheme.
struct MetaspaceSettings {
  enum class Prepend { kNever, kFirst, kAlways };

  static absl::StatusOr<MetaspaceSettings> FromJson(const JsonObject& json);

  std::string replacement;  // one character
  Prepend prepend = Prepend::kAlways;
  bool split = true;
};

absl::StatusOr<std::unique_ptr<PreTokenizer>> MakeMetaspace(const JsonObject& json);

}  // namespace mozgach
