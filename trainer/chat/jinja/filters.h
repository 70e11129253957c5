// Filters (value | name(…)), tests (value is name …) and functions of templates, by name.
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

// The filters on text and numbers, and those on lists and mappings; null where there is none.
FilterFunction FindScalarFilter(const std::string& name);
FilterFunction FindListFilter(const std::string& name);

}  // namespace mozgach::jinja
