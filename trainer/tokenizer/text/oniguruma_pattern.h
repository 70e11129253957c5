// Patterns in tokenizer.json are written for Oniguruma; PCRE2 reads some of the same words
// differently.  This rewrites one so that PCRE2 with UTF | UCP | MULTILINE finds what Oniguruma
// finds.  Sources: Oniguruma doc/RE (Ruby syntax), pcre2pattern(3).
#pragma once

#include <string>
#include <string_view>

#include "common/status.h"

namespace mozgach {

// \s \S \w \W \h \H and script properties are spelled out.  INVALID_ARGUMENT names what has no
// counterpart here: intersections and nested classes, \b \R \X \K \G, {n,m}+, (?m).
absl::StatusOr<std::string> PcreFromOniguruma(std::string_view pattern);

}  // namespace mozgach
