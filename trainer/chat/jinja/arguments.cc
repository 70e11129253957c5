#include "trainer/chat/jinja/arguments.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/utf8.h"
#include "trainer/chat/jinja/value/unsupported.h"

namespace mozgach::jinja {

Arguments Arguments::Rest() const {
  Arguments rest{{}, named};
  if (positional.size() > 1) rest.positional.assign(positional.begin() + 1, positional.end());
  return rest;
}

absl::StatusOr<std::vector<Value>> Bind(const Arguments& arguments,
                                        std::initializer_list<const char*> parameters,
                                        size_t required) {
  if (arguments.positional.size() > parameters.size()) {
    return Unsupported(absl::StrCat("a call with ", arguments.positional.size(), " arguments"));
  }
  std::vector<Value> values = arguments.positional;
  values.resize(parameters.size());
  std::vector<bool> given(parameters.size());
  std::fill_n(given.begin(), arguments.positional.size(), true);
  for (const auto& [name, value] : arguments.named) {
    const auto found = std::find(parameters.begin(), parameters.end(), name);
    if (found == parameters.end()) {
      return Unsupported(absl::StrCat("the argument '", Abbreviate(name, 40), "'"));
    }
    const auto place = static_cast<size_t>(found - parameters.begin());
    if (given[place]) {
      return absl::InvalidArgumentError(absl::StrCat("the argument '", name, "' is given twice"));
    }
    given[place] = true;
    values[place] = value;
  }
  for (size_t i = 0; i < required; ++i) {
    if (!given[i]) {
      return absl::InvalidArgumentError(
          absl::StrCat("the argument '", *(parameters.begin() + i), "' is missing"));
    }
  }
  return values;
}

absl::StatusOr<std::vector<Value>> BindPositional(const Arguments& arguments, size_t required,
                                                  size_t most) {
  if (!arguments.named.empty()) {
    return Unsupported(
        absl::StrCat("the argument '", Abbreviate(arguments.named[0].first, 40), "'"));
  }
  if (arguments.positional.size() > most) {
    return Unsupported(absl::StrCat("a call with ", arguments.positional.size(), " arguments"));
  }
  if (arguments.positional.size() < required) {
    return absl::InvalidArgumentError(absl::StrCat("needs ", required, " arguments"));
  }
  std::vector<Value> values = arguments.positional;
  values.resize(most);
  return values;
}

absl::StatusOr<int64_t> IntegerArgument(const Value& value, int64_t otherwise) {
  if (value.IsUndefined()) return otherwise;
  if (const auto integer = AsInteger(value)) return *integer;
  return absl::InvalidArgumentError(absl::StrCat("needs an integer, not ", KindName(value)));
}

}  // namespace mozgach::jinja
