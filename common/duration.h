// Durations for which nothing is a sensible value.
#pragma once

#include <string>

#include "common/clock.h"
#include "common/status.h"

namespace mozgach {

// As ParseDuration, and "0", with or without a unit.
absl::StatusOr<Milliseconds> ParseDurationOrZero(const std::string& text);

}  // namespace mozgach
