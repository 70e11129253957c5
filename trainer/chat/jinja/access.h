// Attributes, items and slices of values: a.b, a['b'], a[0], a[1:].  As in Jinja2, what is not
// there is undefined; only something undefined itself has no attributes at all.
#pragma once

#include <string>

#include "common/status.h"
#include "trainer/chat/jinja/value/budget.h"
#include "trainer/chat/jinja/value/value.h"

namespace mozgach::jinja {

// object.name: of a mapping its methods first, then its keys.
absl::StatusOr<Value> GetAttribute(const Value& object, const std::string& name, Budget* budget);

// object[index]: of a mapping its keys first, then its methods.
absl::StatusOr<Value> GetItem(const Value& object, const Value& index, Budget* budget);

// object[begin:end:step]; each bound may be none.
absl::StatusOr<Value> GetSlice(const Value& object, const Value& begin, const Value& end,
                               const Value& step, Budget* budget);

// "a.b.0" or an index: attributes of attributes, as filters take them. `otherwise` stands for one
// that is undefined; none and undefined: nothing does. A `path` of none is the object itself.
absl::StatusOr<Value> GetPath(const Value& object, const Value& path, const Value& otherwise,
                              Budget* budget);

}  // namespace mozgach::jinja
