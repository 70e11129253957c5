// Properties of characters, as of Unicode 16, which Hugging Face's tokenizers uses. They do not
// depend on the Unicode version of the installed libraries. Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace mozgach {

bool IsSpace(char32_t character);          // White_Space, as \s
bool IsNumeric(char32_t character);        // Nd, Nl, No, as \p{N}
bool IsWordCharacter(char32_t character);  // Alphabetic, M, Nd, Pc, Join_Control, as Rust's \w

// Appends the lower case of `character`, without context (no final sigma), as Rust's
// to_lowercase().
void AppendLowercase(char32_t character, std::string* text);

// Returns an older character in place of one that was added after Unicode 14, the version of PCRE2
// 10.42. Both have the same general category and number of bytes; Han replaces Han. Returns
// `character` itself if it is not newer.
char32_t StandIn(char32_t character);

// Returns `text` with stand-ins, stored in `storage`, or `text` itself if it needs none. Offsets do
// not change. REQUIRES: `text` is UTF-8.
std::string_view WithStandIns(std::string_view text, std::string* storage);

}  // namespace mozgach
