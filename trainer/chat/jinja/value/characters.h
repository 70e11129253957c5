// What Python's str methods know about single characters. Pure functions; safe from any thread.
#pragma once

namespace mozgach::jinja {

bool IsLowerCase(char32_t c);  // str.islower() of one character
bool IsUpperCase(char32_t c);  // str.isupper() of one character
bool IsTitleCase(char32_t c);  // a letter such as ǅ

// Upper, lower or title case.
bool IsCased(char32_t c);

// A character that the rule of the final sigma passes over: an apostrophe, an accent, …
bool IsCaseIgnorable(char32_t c);

// repr() writes the character as it is.
bool IsPrintable(char32_t c);

bool IsWordCharacter(char32_t c);  // may be part of a name: a letter, a mark, a digit

bool IsDecimalDigit(char32_t c);
bool IsOtherNumber(char32_t c);  // ², ½: some of them count as digits in Python

// The mapping to one character, without Unicode's special cases.
char32_t SimpleUpperCase(char32_t c);
char32_t SimpleLowerCase(char32_t c);
char32_t SimpleTitleCase(char32_t c);

}  // namespace mozgach::jinja
