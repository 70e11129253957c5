// The error for features of Jinja2 that are not supported.
#pragma once

#include <string_view>

#include "common/status.h"

namespace mozgach::jinja {

// Returns INVALID_ARGUMENT "`what` is not supported", with advice.
absl::Status Unsupported(std::string_view what);

}  // namespace mozgach::jinja
