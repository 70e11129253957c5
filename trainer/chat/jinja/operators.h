// The operators of Jinja expressions, with Python's semantics. INVALID_ARGUMENT names the types of
// the operands.
#pragma once

#include <string>

#include "common/status.h"
#include "trainer/chat/jinja/value/budget.h"
#include "trainer/chat/jinja/value/value.h"

namespace mozgach::jinja {

// "+", "-", "*", "/", "//", "%", "**", "~".
absl::StatusOr<Value> Operate(const std::string& op, const Value& left, const Value& right,
                              Budget* budget);

// "==", "!=", "<", "<=", ">", ">=", "in", "not in".
absl::StatusOr<bool> Compare(const std::string& op, const Value& left, const Value& right,
                             Budget* budget);

// "-" and "+".
absl::StatusOr<Value> Sign(const std::string& op, const Value& operand);

}  // namespace mozgach::jinja
