#include "trainer/chat/jinja/arguments.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/utf8.h"

namespace mozgach::jinja {

Arguments Arguments::Rest() const {
  Arguments rest{{}, named};
  if (positional.size() > 1) rest.positional.assign(positional.begin() + 1, positional.end());
  return rest;
}

absl::StatusOr<std::vector<Value>> Bind(const Arguments& arguments,
                                        std::initializer_list<const char*> parameters) {
  if (arguments.positional.size() > parameters.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "takes ", parameters.size(), " arguments at most, not ", arguments.positional.size()));
  }
  std::vector<Value> values = arguments.positional;
  values.resize(parameters.size());
  for (const auto& [name, value] : arguments.named) {
    const auto found = std::find(parameters.begin(), parameters.end(), name);
    if (found == parameters.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("the argument '", Abbreviate(name, 40), "' is not supported"));
    }
    values[static_cast<size_t>(found - parameters.begin())] = value;
  }
  return values;
}

}  // namespace mozgach::jinja
