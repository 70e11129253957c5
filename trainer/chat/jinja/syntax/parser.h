// The parser turns a template's source into its tree, with Jinja2's grammar and precedence.
#pragma once

#include <string_view>

#include "common/status.h"
#include "trainer/chat/jinja/syntax/ast.h"

namespace mozgach::jinja {

// INVALID_ARGUMENT "line N: what" if Jinja2 rejects the source, if it uses an unsupported
// construct, if it is larger than 1 MiB, or if its tree is deeper than kMaxTreeDepth.
absl::StatusOr<Body> Parse(std::string_view source);

}  // namespace mozgach::jinja
