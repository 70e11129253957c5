// The arguments of a call, a filter or a test, evaluated.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "common/status.h"
#include "trainer/chat/jinja/value.h"

namespace mozgach::jinja {

struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;

  // Everything but the first positional argument.
  Arguments Rest() const;
};

// One value per name of `parameters`, in their order; undefined where none was given.
// INVALID_ARGUMENT for an argument too many or of an unknown name.
absl::StatusOr<std::vector<Value>> Bind(const Arguments& arguments,
                                        std::initializer_list<const char*> parameters);

}  // namespace mozgach::jinja
