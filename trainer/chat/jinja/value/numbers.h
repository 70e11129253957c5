// Parses and divides numbers as Python does. Pure functions; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/status.h"

namespace mozgach::jinja {

// int(text) and float(text). Return nullopt if Python raises ValueError. INVALID_ARGUMENT for
// unsupported input: integers beyond 64 bits, digits of other scripts.
absl::StatusOr<std::optional<int64_t>> ParseInteger(std::string_view text);
absl::StatusOr<std::optional<double>> ParseFloat(std::string_view text);

// int(number). INVALID_ARGUMENT if it is infinite or does not fit in 64 bits; nullopt for NaN.
absl::StatusOr<std::optional<int64_t>> Truncate(double number);

// a // b and a % b of floats. REQUIRES: b != 0.
double FloorQuotient(double a, double b);
double FloorRemainder(double a, double b);

}  // namespace mozgach::jinja
