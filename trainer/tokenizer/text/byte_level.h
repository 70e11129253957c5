// Byte-level BPE writes every byte as one printable character. Bytes that are printable in Latin-1
// stand for themselves; the others are mapped, in order, to U+0100 and up ("Ġ" is a space). Source:
// GPT-2's encoder.py.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/status.h"
#include "trainer/tokenizer/text/json_object.h"
#include "trainer/tokenizer/text/pre_tokenizer.h"

namespace mozgach {

// Returns the character that stands for `byte`.
char32_t ByteLevelCharacter(uint8_t byte);

// Appends the bytes that `spelled` stands for to `bytes`. Returns false and leaves `bytes`
// unchanged if a character does not stand for a byte. REQUIRES: `spelled` is UTF-8.
bool AppendByteLevelBytes(std::string_view spelled, std::string* bytes);

// The pre-tokenizer: {"add_prefix_space": …, "use_regex": …}. It does not convert the words to byte
// characters; the model reads them as bytes.
absl::StatusOr<std::unique_ptr<PreTokenizer>> MakeByteLevel(const JsonObject& json);

}  // namespace mozgach
