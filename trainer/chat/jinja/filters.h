// Filters (value | name(…)) and tests (value is name …) of templates, by name.
#pragma once

#include <string>

#include "common/status.h"
#include "trainer/chat/jinja/arguments.h"
#include "trainer/chat/jinja/value/budget.h"
#include "trainer/chat/jinja/value/value.h"

namespace mozgach::jinja {

// INVALID_ARGUMENT if the filter does not exist, or rejects its arguments.
absl::StatusOr<Value> ApplyFilter(const std::string& name, const Value& input,
                                  const Arguments& arguments, Budget* budget);

absl::StatusOr<bool> ApplyTest(const std::string& name, const Value& input,
                               const Arguments& arguments, Budget* budget);

using FilterFunction = absl::StatusOr<Value> (*)(const Value& input, const Arguments& arguments,
                                                 Budget* budget);

// Find a filter on text and numbers, or one on lists and mappings. Return null if it does not
// exist.
FilterFunction FindScalarFilter(const std::string& name);
FilterFunction FindListFilter(const std::string& name);

}  // namespace mozgach::jinja
