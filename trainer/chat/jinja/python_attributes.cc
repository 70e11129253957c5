#include "trainer/chat/jinja/python_attributes.h"

#include <algorithm>
#include <iterator>

namespace mozgach::jinja {
namespace {

constexpr std::string_view kStringAttributes[] = {
    "capitalize",   "casefold",    "center",    "count",      "encode",       "endswith",
    "expandtabs",   "find",        "format",    "format_map", "index",        "isalnum",
    "isalpha",      "isascii",     "isdecimal", "isdigit",    "isidentifier", "islower",
    "isnumeric",    "isprintable", "isspace",   "istitle",    "isupper",      "join",
    "ljust",        "lower",       "lstrip",    "maketrans",  "partition",    "removeprefix",
    "removesuffix", "replace",     "rfind",     "rindex",     "rjust",        "rpartition",
    "rsplit",       "rstrip",      "split",     "splitlines", "startswith",   "strip",
    "swapcase",     "title",       "translate", "upper",      "zfill"};
constexpr std::string_view kListAttributes[] = {"copy", "count", "index"};
constexpr std::string_view kListChanges[] = {"append", "clear", "pop",    "reverse",
                                             "insert", "sort",  "extend", "remove"};
constexpr std::string_view kTupleAttributes[] = {"count", "index"};
constexpr std::string_view kRangeAttributes[] = {"count", "index", "start", "step", "stop"};
constexpr std::string_view kViewAttributes[] = {"isdisjoint", "mapping"};
constexpr std::string_view kMapAttributes[] = {"copy",  "fromkeys", "get",
                                               "items", "keys",     "values"};
constexpr std::string_view kMapChanges[] = {"clear", "pop", "popitem", "setdefault", "update"};
constexpr std::string_view kIntegerAttributes[] = {
    "as_integer_ratio", "bit_count", "bit_length", "conjugate", "denominator",
    "from_bytes",       "imag",      "numerator",  "real",      "to_bytes"};
constexpr std::string_view kFloatAttributes[] = {
    "as_integer_ratio", "conjugate", "fromhex", "hex", "imag", "is_integer", "real"};
constexpr std::string_view kMacroAttributes[] = {"name",          "arguments", "catch_kwargs",
                                                 "catch_varargs", "caller",    "explicit_caller"};
constexpr std::string_view kLoopAttributes[] = {"changed", "cycle"};

template <size_t n>
bool Has(const std::string_view (&names)[n], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

bool HasListAttribute(const List& list, std::string_view name) {
  switch (list.kind) {
    case ListKind::kList:
      return Has(kListAttributes, name);
    case ListKind::kTuple:
      return Has(kTupleAttributes, name);
    case ListKind::kRange:
      return Has(kRangeAttributes, name);
    default:
      return Has(kViewAttributes, name);
  }
}

bool HasAttribute(const Value& object, std::string_view name) {
  if (object.text() != nullptr) return Has(kStringAttributes, name);
  if (object.list() != nullptr) return HasListAttribute(*object.list(), name);
  if (object.map() != nullptr) return Has(kMapAttributes, name);
  if (object.loop() != nullptr) return Has(kLoopAttributes, name);
  if (object.As<double>() != nullptr) return Has(kFloatAttributes, name);
  if (AsInteger(object)) return Has(kIntegerAttributes, name);
  return object.As<Macro>() != nullptr && Has(kMacroAttributes, name);
}

}  // namespace

PythonAttribute PythonAttributeOf(const Value& object, std::string_view name) {
  const List* list = object.list();
  const bool plain = list != nullptr && list->kind == ListKind::kList;
  if (plain && Has(kListChanges, name)) return PythonAttribute::kHidden;
  if (object.map() != nullptr && Has(kMapChanges, name)) return PythonAttribute::kHidden;
  return HasAttribute(object, name) ? PythonAttribute::kAvailable : PythonAttribute::kNone;
}

}  // namespace mozgach::jinja
