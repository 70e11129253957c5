// What kind of character is it?  Answers are those of Unicode 16, which Hugging Face's tokenizers
// uses, whatever older version the libraries of this machine know.  Safe from any thread.
#pragma once

#include <string>
#include <string_view>

namespace mozgach {

bool IsSpace(char32_t character);          // White_Space, as \s
bool IsNumeric(char32_t character);        // Nd, Nl, No, as \p{N}
bool IsWordCharacter(char32_t character);  // Alphabetic, M, Nd, Pc, Join_Control, as Rust's \w

// Appends the lower case of `character`, by itself (no final sigma), as Rust's to_lowercase().
void AppendLowercase(char32_t character, std::string* text);

// Characters that came after Unicode 14 (PCRE2 10.42's) have an older stand-in: of the same general
// category, the same number of bytes, Han for Han.  The character itself where none is needed.
char32_t StandIn(char32_t character);

// `text` with stand-ins, in `storage`; `text` itself where it needs none.  Offsets stay as they
// are.  REQUIRES: `text` is UTF-8.
std::string_view WithStandIns(std::string_view text, std::string* storage);

}  // namespace mozgach
