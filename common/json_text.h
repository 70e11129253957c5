// JSON that somebody else wrote, read within bounds.
//
// A small text can ask for much: a megabyte of '[' becomes a document whose copy or dump recurses
// until the stack is gone.  So the text is measured before a document is built of it.  How many
// bytes it may have is the caller's to say, where it reads them.  Safe from any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/status.h"
#include "nlohmann/json_fwd.hpp"

namespace mozgach {

constexpr int kJsonDepthMax = 64;

// OK where `text` nests objects and lists at most kJsonDepthMax deep and holds at most `values_max`
// values; INVALID_ARGUMENT says which it exceeds.  Whether it is JSON is not looked at.
absl::Status CheckJsonShape(std::string_view text, int64_t values_max = INT64_MAX);

// The document.  INVALID_ARGUMENT: nested too deeply, or "no JSON: " and where it stops being that.
absl::StatusOr<nlohmann::json> ParseJson(std::string_view text);
// With the keys in their order.
absl::StatusOr<nlohmann::ordered_json> ParseOrderedJson(std::string_view text);

// The whole number from `least` on that `value` is.  Throws nlohmann::json::exception where it is
// none of 64 bits with a sign: get<int64_t>() wraps a larger one, cuts fractions off, and is
// undefined for 1e300.
int64_t WholeNumber(const nlohmann::json& value, int64_t least = INT64_MIN);

}  // namespace mozgach
