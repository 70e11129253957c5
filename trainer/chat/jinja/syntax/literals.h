// What the lexer knows about single pieces of a template: literals and operators as Jinja2 (and so
// Python) reads them, and the white space that a tag takes with it.
#pragma once

#include <string>
#include <string_view>

#include "common/status.h"

namespace mozgach::jinja {

// What stands between the quotes of a literal, escapes such as \n, \x41 and \u00e9 resolved; a
// backslash before anything else stays.  INVALID_ARGUMENT for an escape that is cut off.
absl::StatusOr<std::string> DecodeString(std::string_view between_quotes);

// Bytes of the number that `text` starts with (digits, '_' between them, a fraction, an exponent);
// `*is_float` says which kind.
size_t NumberLength(std::string_view text, bool* is_float);

// The longest operator that `text` starts with; empty where there is none.
std::string_view OperatorAt(std::string_view text);

// Bytes of the white space that `text` starts with.
size_t WhiteSpaceLength(std::string_view text);

// `source` with every line break as \n and without one at the very end.
std::string WithPlainLineBreaks(std::string_view source);

// `text`, which stands before a tag '{' + kind + sign, without the white space that the tag strips;
// `line_starting`: what comes before `text` ends with a line break.
std::string_view TextBeforeTag(std::string_view text, char kind, char sign, bool line_starting);

}  // namespace mozgach::jinja
