// Properties of characters, as in Python's str methods. Pure functions; thread-safe.
#pragma once

namespace mozgach::jinja {

bool IsLowerCase(char32_t c);  // str.islower() of one character
bool IsUpperCase(char32_t c);  // str.isupper() of one character
bool IsTitleCase(char32_t c);  // a letter such as ǅ

// True for upper, lower and title case.
bool IsCased(char32_t c);

// True for characters that the rule of the final sigma ignores: an apostrophe, an accent, …
bool IsCaseIgnorable(char32_t c);

// True if repr() does not escape the character.
bool IsPrintable(char32_t c);

bool IsWordCharacter(char32_t c);  // a letter, a mark or a digit

bool IsDecimalDigit(char32_t c);
bool IsOtherNumber(char32_t c);  // such as ² and ½; Python treats some of them as digits

// Map to one character, without Unicode's special cases.
char32_t SimpleUpperCase(char32_t c);
char32_t SimpleLowerCase(char32_t c);
char32_t SimpleTitleCase(char32_t c);

}  // namespace mozgach::jinja
