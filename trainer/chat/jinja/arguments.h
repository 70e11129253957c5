// The evaluated arguments of a call, a filter or a test.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "common/status.h"
#include "trainer/chat/jinja/value/value.h"

namespace mozgach::jinja {

struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;

  // Returns all arguments except the first positional one.
  Arguments Rest() const;
};

// Returns one value per name in `parameters`, in order; undefined if it was not given.
// INVALID_ARGUMENT if there are too many arguments, if an argument has an unknown name or is given
// twice, or if one of the first `required` is missing.
absl::StatusOr<std::vector<Value>> Bind(const Arguments& arguments,
                                        std::initializer_list<const char*> parameters,
                                        size_t required = 0);

// For Python methods without named arguments: returns `required` to `most` values.
absl::StatusOr<std::vector<Value>> BindPositional(const Arguments& arguments, size_t required,
                                                  size_t most);

// Returns an integer argument, or `otherwise` if it was not given. INVALID_ARGUMENT for other
// types.
absl::StatusOr<int64_t> IntegerArgument(const Value& value, int64_t otherwise);

}  // namespace mozgach::jinja
