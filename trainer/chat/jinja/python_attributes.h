// Lists the attributes of Python's built-in types, to distinguish unsupported attributes from
// undefined ones. Pure functions; thread-safe.
#pragma once

#include <string_view>

#include "trainer/chat/jinja/value/value.h"

namespace mozgach::jinja {

enum class PythonAttribute {
  kNone,       // does not exist in Python either
  kHidden,     // hidden by the sandbox, because it changes the object
  kAvailable,  // usable by a template in Jinja2
};

PythonAttribute PythonAttributeOf(const Value& object, std::string_view name);

}  // namespace mozgach::jinja
