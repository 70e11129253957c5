// The arguments of a call, a filter or a test, evaluated.
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

  // Everything but the first positional argument.
  Arguments Rest() const;
};

// One value per name of `parameters`, in their order; undefined where none was given.
// INVALID_ARGUMENT for an argument too many or of an unknown name, for one that is given twice, and
// where one of the first `required` is missing.
absl::StatusOr<std::vector<Value>> Bind(const Arguments& arguments,
                                        std::initializer_list<const char*> parameters,
                                        size_t required = 0);

// For Python's methods that take no names: `required` to `most` values.
absl::StatusOr<std::vector<Value>> BindPositional(const Arguments& arguments, size_t required,
                                                  size_t most);

// An integer argument; `otherwise` where none was given. INVALID_ARGUMENT for another kind.
absl::StatusOr<int64_t> IntegerArgument(const Value& value, int64_t otherwise);

}  // namespace mozgach::jinja
