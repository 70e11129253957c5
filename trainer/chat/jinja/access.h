// Attributes, items and slices of values: a.b, a['b'], a[0], a[1:]. As in Jinja2, a missing
// attribute or item is undefined; an attribute of an undefined value is an error.
#pragma once

#include <string>

#include "common/status.h"
#include "trainer/chat/jinja/value/budget.h"
#include "trainer/chat/jinja/value/value.h"

namespace mozgach::jinja {

// object.name. In a mapping, methods come before keys.
absl::StatusOr<Value> GetAttribute(const Value& object, const std::string& name, Budget* budget);

// object[index]. In a mapping, keys come before methods.
absl::StatusOr<Value> GetItem(const Value& object, const Value& index, Budget* budget);

// object[begin:end:step]; each bound may be none.
absl::StatusOr<Value> GetSlice(const Value& object, const Value& begin, const Value& end,
                               const Value& step, Budget* budget);

// Follows a `path` of attributes, "a.b.0" or an index, as used in filters. `otherwise` replaces an
// undefined result, unless it is itself none or undefined. If `path` is none, the result is the
// object itself.
absl::StatusOr<Value> GetPath(const Value& object, const Value& path, const Value& otherwise,
                              Budget* budget);

}  // namespace mozgach::jinja
