// Methods of strings, lists and mappings: content.split('</think>'), message.get('name'), …
#pragma once

#include <map>
#include <string>

#include "common/status.h"
#include "trainer/chat/jinja/arguments.h"
#include "trainer/chat/jinja/value/budget.h"
#include "trainer/chat/jinja/value/value.h"

namespace mozgach::jinja {

// Returns true if CallMethod knows `name` for values of this type.
bool HasMethod(const Value& object, const std::string& name);

// INVALID_ARGUMENT if the method does not exist, or rejects its arguments.
absl::StatusOr<Value> CallMethod(const Value& object, const std::string& name,
                                 const Arguments& arguments, Budget* budget);

using StringMethod = absl::StatusOr<Value> (*)(const Text& text, const Arguments& arguments,
                                               Budget* budget);

// Returns the methods of strings, by name.
const std::map<std::string, StringMethod>& StringMethods();

}  // namespace mozgach::jinja
