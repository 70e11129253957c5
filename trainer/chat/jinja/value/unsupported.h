// The error for what Jinja2 has and this interpreter does not.
#pragma once

#include <string_view>

#include "common/status.h"

namespace mozgach::jinja {

// INVALID_ARGUMENT "`what` is not supported", and what to do about it.
absl::Status Unsupported(std::string_view what);

}  // namespace mozgach::jinja
