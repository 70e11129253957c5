// Helpers of the lexer: literals and operators, as Jinja2 and Python read them, and the white space
// that a tag removes.
#pragma once

#include <string>
#include <string_view>

#include "common/status.h"

namespace mozgach::jinja {

// Decodes the text between the quotes of a literal, with escapes such as \n, \x41 and \u00e9. A
// backslash before other characters stays. INVALID_ARGUMENT for an incomplete escape.
absl::StatusOr<std::string> DecodeString(std::string_view between_quotes);

// Returns the length of the number at the start of `text` (digits, '_' between them, a fraction, an
// exponent). Sets `*is_float` if it is not an integer.
size_t NumberLength(std::string_view text, bool* is_float);

// Returns the longest operator at the start of `text`; empty if none.
std::string_view OperatorAt(std::string_view text);

// Returns the length of the white space at the start of `text`.
size_t WhiteSpaceLength(std::string_view text);

// Returns `source` with every line break as \n, and without a line break at the end.
std::string WithPlainLineBreaks(std::string_view source);

// Returns `text`, which precedes a tag '{' + kind + sign, without the white space that the tag
// removes. `line_starting`: `text` begins at the start of a line.
std::string_view TextBeforeTag(std::string_view text, char kind, char sign, bool line_starting);

}  // namespace mozgach::jinja
