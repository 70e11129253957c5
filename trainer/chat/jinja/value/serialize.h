// Converts values to text: as {{ … }} prints them, as Python's repr(), and as transformers' tojson
// filter (json.dumps(…, ensure_ascii=False)). Every part of the text keeps its origin.
#pragma once

#include <optional>

#include "common/status.h"
#include "trainer/chat/jinja/value/budget.h"
#include "trainer/chat/jinja/value/text.h"
#include "trainer/chat/jinja/value/value.h"

namespace mozgach::jinja {

// Python's str(); an undefined value becomes an empty text.
absl::StatusOr<Text> ToText(const Value& value, Budget* budget);

// `indent` is that of json.dumps; nullopt writes one line, with "a, b" and "k: v". INVALID_ARGUMENT
// for a value that JSON cannot represent.
absl::StatusOr<Text> ToJsonText(const Value& value, std::optional<int64_t> indent, Budget* budget);

}  // namespace mozgach::jinja
