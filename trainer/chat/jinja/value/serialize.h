// From values to text: as {{ … }} prints them, as Python's repr() and as transformers' tojson
// filter (json.dumps(…, ensure_ascii=False)).  Stretches of text keep their origin.
#pragma once

#include <optional>

#include "common/status.h"
#include "trainer/chat/jinja/value/budget.h"
#include "trainer/chat/jinja/value/text.h"
#include "trainer/chat/jinja/value/value.h"

namespace mozgach::jinja {

// Python's str(): what is undefined prints as nothing.
absl::StatusOr<Text> ToText(const Value& value, Budget* budget);

// `indent` as json.dumps takes it: absent is one line, "a, b" and "k: v".  INVALID_ARGUMENT for
// what JSON has no form for.
absl::StatusOr<Text> ToJsonText(const Value& value, std::optional<int64_t> indent, Budget* budget);

}  // namespace mozgach::jinja
