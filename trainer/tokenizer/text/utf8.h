// Iterates over text that is known to be UTF-8; common/utf8.h has functions for other text.
// Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/utf8.h"

namespace mozgach {

// Returns `bytes` with U+FFFD in place of every maximal prefix of an incomplete character, as
// Rust's String::from_utf8_lossy and the WHATWG decoder do.
std::string ReplaceInvalidUtf8(std::string_view bytes);

// Returns the number of bytes of the character whose first byte is `lead`. REQUIRES: `lead` begins
// a character.
inline size_t Utf8Length(char lead) {
  const unsigned char byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

// Returns true if `byte` is not the first byte of a character.
inline bool IsUtf8Continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

// Returns the character at `text[at]`. REQUIRES: `text` is UTF-8 and a character begins at `at`.
char32_t DecodeUtf8(std::string_view text, size_t at);

// Returns the character that ends before `text[end]`. REQUIRES: `text` is UTF-8, 0 < `end`, and a
// character ends at `end`.
char32_t DecodeUtf8Before(std::string_view text, size_t end);

}  // namespace mozgach
