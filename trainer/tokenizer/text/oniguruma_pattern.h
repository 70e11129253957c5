// Translates regular expressions from Oniguruma to PCRE2. Patterns in tokenizer.json are written
// for Oniguruma, and PCRE2 interprets some constructs differently. With UTF | UCP | MULTILINE,
// PCRE2 finds the same matches for the translated pattern. Sources: Oniguruma doc/RE (Ruby syntax),
// pcre2pattern(3).
#pragma once

#include <string>
#include <string_view>

#include "common/status.h"

namespace mozgach {

// Expands \s \S \w \W \h \H and script properties. INVALID_ARGUMENT names a construct without a
// counterpart: intersections and nested classes, \b \R \X \K \G, {n,m}+, (?m).
absl::StatusOr<std::string> PcreFromOniguruma(std::string_view pattern);

}  // namespace mozgach
