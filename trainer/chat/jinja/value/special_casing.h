// Characters whose upper or title case is more than one character, such as ß (SS).
// Pure functions; safe from any thread.
#pragma once

#include <string_view>

namespace mozgach::jinja {

// Empty: the upper case of `c` is one character.
std::u32string_view LongUpperCase(char32_t c);

// Empty: the title case of `c` is one character.
std::u32string_view LongTitleCase(char32_t c);

}  // namespace mozgach::jinja
