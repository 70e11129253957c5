#include <map>

#include "absl/strings/str_cat.h"
#include "common/utf8.h"
#include "trainer/chat/jinja/filters.h"
#include "trainer/chat/jinja/operators.h"
#include "trainer/chat/jinja/parser.h"
#include "trainer/chat/jinja/string_operations.h"

namespace mozgach::jinja {
namespace {

using Predicate = bool (*)(const Value&);

bool IsBoolean(const Value& value, bool wanted) {
  const bool* boolean = value.As<bool>();
  return boolean != nullptr && *boolean == wanted;
}

const std::map<std::string, Predicate>& Predicates() {
  static const auto* const predicates = new std::map<std::string, Predicate>{
      {"defined", [](const Value& v) { return !v.IsUndefined(); }},
      {"undefined", [](const Value& v) { return v.IsUndefined(); }},
      {"none", [](const Value& v) { return v.IsNone(); }},
      {"boolean", [](const Value& v) { return v.As<bool>() != nullptr; }},
      {"true", [](const Value& v) { return IsBoolean(v, true); }},
      {"false", [](const Value& v) { return IsBoolean(v, false); }},
      {"integer", [](const Value& v) { return v.As<int64_t>() != nullptr; }},
      {"float", [](const Value& v) { return v.As<double>() != nullptr; }},
      {"number", [](const Value& v) { return AsNumber(v).has_value(); }},
      {"string", [](const Value& v) { return v.text() != nullptr; }},
      {"mapping", [](const Value& v) { return v.map() != nullptr; }},
      {"sequence", [](const Value& v) { return v.list() || v.map() || v.text(); }},
      {"iterable",
       [](const Value& v) { return v.list() || v.map() || v.text() || v.IsUndefined(); }},
      {"callable",
       [](const Value& v) { return v.As<Function>() || v.As<const MacroStatement*>(); }},
      {"upper",
       [](const Value& v) {
         return v.text() && !v.text()->empty() && Upper(*v.text()).bytes() == v.text()->bytes();
       }},
      {"lower",
       [](const Value& v) {
         return v.text() && !v.text()->empty() && Lower(*v.text()).bytes() == v.text()->bytes();
       }},
  };
  return *predicates;
}

// Tests that are an operator under a name: x is equalto y.
const std::map<std::string, std::string>& Comparisons() {
  static const auto* const comparisons = new std::map<std::string, std::string>{
      {"equalto", "=="}, {"eq", "=="}, {"ne", "!="},     {"lt", "<"},
      {"lessthan", "<"}, {"le", "<="}, {"gt", ">"},      {"greaterthan", ">"},
      {"ge", ">="},      {"in", "in"}, {"sameas", "=="},
  };
  return *comparisons;
}

absl::StatusOr<bool> Divides(const Value& input, int64_t divisor) {
  const auto number = AsInteger(input);
  if (!number || divisor == 0) {
    return absl::InvalidArgumentError(absl::StrCat("needs integers, not ", KindName(input)));
  }
  return divisor == -1 || *number % divisor == 0;
}

absl::StatusOr<bool> Evaluate(const std::string& name, const Value& input,
                              const Arguments& arguments, Budget* budget) {
  if (const auto found = Predicates().find(name); found != Predicates().end()) {
    RETURN_IF_ERROR(Bind(arguments, {}).status());
    RETURN_IF_ERROR(budget->Spend(input.text() == nullptr ? 0 : input.text()->size()));
    return found->second(input);
  }
  if (name == "even" || name == "odd") {
    RETURN_IF_ERROR(Bind(arguments, {}).status());
    ASSIGN_OR_RETURN(const bool even, Divides(input, 2));
    return even == (name == "even");
  }
  ASSIGN_OR_RETURN(const std::vector<Value> values, Bind(arguments, {"other"}));
  if (name == "divisibleby") return Divides(input, AsInteger(values[0]).value_or(0));
  return Compare(Comparisons().at(name), input, values[0], budget);
}

}  // namespace

absl::StatusOr<bool> ApplyTest(const std::string& name, const Value& input,
                               const Arguments& arguments, Budget* budget) {
  const bool known = Predicates().count(name) > 0 || Comparisons().count(name) > 0 ||
                     name == "even" || name == "odd" || name == "divisibleby";
  if (!known) return Unsupported(absl::StrCat("the test '", Abbreviate(name, 40), "'"));
  absl::StatusOr<bool> result = Evaluate(name, input, arguments, budget);
  if (!result.ok()) return Annotate(result.status(), absl::StrCat("is ", name));
  return result;
}

}  // namespace mozgach::jinja
