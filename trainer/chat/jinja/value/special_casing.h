// Characters whose upper or title case is more than one character, such as ß (SS). Pure functions;
// thread-safe.
#pragma once

#include <string_view>

namespace mozgach::jinja {

// Returns the upper case of `c`; empty if it is one character.
std::u32string_view LongUpperCase(char32_t c);

// Returns the title case of `c`; empty if it is one character.
std::u32string_view LongTitleCase(char32_t c);

}  // namespace mozgach::jinja
