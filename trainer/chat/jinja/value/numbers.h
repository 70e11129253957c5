// Numbers as Python reads and divides them. Pure functions; safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/status.h"

namespace mozgach::jinja {

// int(text) and float(text); null where Python raises ValueError. INVALID_ARGUMENT for what is not
// supported: an integer beyond 64 bits, digits of other scripts.
absl::StatusOr<std::optional<int64_t>> ParseInteger(std::string_view text);
absl::StatusOr<std::optional<double>> ParseFloat(std::string_view text);

// int(number). INVALID_ARGUMENT for an infinity and for what does not fit in 64 bits; null for NaN.
absl::StatusOr<std::optional<int64_t>> Truncate(double number);

// a // b and a % b of floats. REQUIRES: b != 0.
double FloorQuotient(double a, double b);
double FloorRemainder(double a, double b);

}  // namespace mozgach::jinja
