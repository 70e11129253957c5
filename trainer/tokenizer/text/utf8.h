// Walking through text that is known to be UTF-8, beside what common/utf8.h has for text that may
// not be.  Free functions; safe from any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/utf8.h"

namespace mozgach {

// `bytes` with U+FFFD for every maximal stretch that begins a character and does not end it, as
// Rust's String::from_utf8_lossy and the WHATWG decoder do.
std::string ReplaceInvalidUtf8(std::string_view bytes);

// Bytes of the character that `lead` begins.  REQUIRES: `lead` begins a character.
inline size_t Utf8Length(char lead) {
  const unsigned char byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

// Whether `byte` is one of a character's later bytes.
inline bool IsUtf8Continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

// The character at `text[at]`.  REQUIRES: `text` is UTF-8 and a character begins there.
char32_t DecodeUtf8(std::string_view text, size_t at);

// The character that ends before `text[end]`.  REQUIRES: `text` is UTF-8, 0 < `end`, and a
// character ends there.
char32_t DecodeUtf8Before(std::string_view text, size_t end);

}  // namespace mozgach
