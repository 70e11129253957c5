// UTF-8 as the Unicode standard (table 3-7) has it: no overlong forms, no surrogates, nothing above
// U+10FFFF.  Pure functions; safe from any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mozgach {

// Offset of the first byte that is not part of well-formed UTF-8; npos where all of `text` is.
size_t FirstInvalidUtf8(std::string_view text);

// The code point that starts at `*offset`, which moves behind it.  A byte that does not start a
// well-formed sequence is U+FFFD and is passed over alone.
// REQUIRES: *offset < text.size().
char32_t NextCodePoint(std::string_view text, size_t* offset);

// Appends `code_point` to `text`.  REQUIRES: it is not a surrogate and at most U+10FFFF.
void AppendUtf8(char32_t code_point, std::string* text);

// The first `bytes` bytes of `text` or a little less: never cuts a character, "…" marks a cut.
std::string Abbreviate(std::string_view text, size_t bytes);

// What may be shown of a text that quotes strangers' bytes: EscapeControls of terminal_text.h, of
// at most some 4,000 bytes.
std::string Showable(std::string_view text);

}  // namespace mozgach
