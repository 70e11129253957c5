// Byte-level BPE writes every byte as one printable character: those that are printable in Latin-1
// as themselves, the others, in order, from U+0100 on ("Ġ" is a space).  Source: GPT-2's
// encoder.py.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/status.h"
#include "trainer/tokenizer/text/json_object.h"
#include "trainer/tokenizer/text/pre_tokenizer.h"

namespace mozgach {

// The character that stands for `byte`.
char32_t ByteLevelCharacter(uint8_t byte);

// The bytes that `spelled` stands for; false, and `bytes` as it was, when a character stands for
// none.  Appends to `bytes`.  REQUIRES: `spelled` is UTF-8.
bool AppendByteLevelBytes(std::string_view spelled, std::string* bytes);

// The pre-tokenizer: {"add_prefix_space": …, "use_regex": …}.  Its words stay as they are here; the
// model reads them as bytes.
absl::StatusOr<std::unique_ptr<PreTokenizer>> MakeByteLevel(const JsonObject& json);

}  // namespace mozgach
