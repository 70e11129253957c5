// The parser turns a template's source into its tree, with Jinja2's grammar and precedence.
#pragma once

#include <string_view>

#include "common/status.h"
#include "trainer/chat/jinja/syntax/ast.h"

namespace mozgach::jinja {

// INVALID_ARGUMENT "line N: what" for what Jinja2 refuses, and for what it has and we do not.
// Sources above 1 MiB and trees deeper than kMaxTreeDepth are refused.
absl::StatusOr<Body> Parse(std::string_view source);

}  // namespace mozgach::jinja
