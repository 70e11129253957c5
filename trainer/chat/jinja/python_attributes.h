// The attributes that Python's own types have, for telling what is not supported from what is
// undefined. Pure functions; safe from any thread.
#pragma once

#include <string_view>

#include "trainer/chat/jinja/value/value.h"

namespace mozgach::jinja {

enum class PythonAttribute {
  kNone,       // Python has none of this name either
  kHidden,     // the sandbox hides it: it changes the object
  kAvailable,  // a template can use it in Jinja2
};

PythonAttribute PythonAttributeOf(const Value& object, std::string_view name);

}  // namespace mozgach::jinja
