#include <map>

#include "absl/strings/str_cat.h"
#include "common/utf8.h"
#include "trainer/chat/jinja/filters.h"
#include "trainer/chat/jinja/operators.h"
#include "trainer/chat/jinja/value/case_mapping.h"
#include "trainer/chat/jinja/value/serialize.h"
#include "trainer/chat/jinja/value/unsupported.h"

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
      {"sequence",
       [](const Value& v) {
         const bool view = v.list() != nullptr && v.list()->IsView();
         return (v.list() && !view) || v.map() || v.text() || v.IsUndefined();
       }},
      {"iterable",
       [](const Value& v) {
         return v.list() || v.map() || v.text() || v.loop() || v.iterator() || v.IsUndefined();
       }},
      {"callable",
       [](const Value& v) {
         return v.As<Function>() || v.As<Macro>() || v.loop() || v.IsUndefined();
       }},
  };
  return *predicates;
}

// Tests that are another name of an operator: x is equalto y.
const std::map<std::string, std::string>& Comparisons() {
  static const auto* const comparisons = new std::map<std::string, std::string>{
      {"equalto", "=="}, {"eq", "=="}, {"ne", "!="},         {"lt", "<"},  {"lessthan", "<"},
      {"le", "<="},      {"gt", ">"},  {"greaterthan", ">"}, {"ge", ">="}, {"in", "in"},
  };
  return *comparisons;
}

absl::StatusOr<bool> Leaves(int64_t wanted, const Value& input, const Value& divisor,
                            Budget* budget) {
  ASSIGN_OR_RETURN(const Value remainder, Operate("%", input, divisor, budget));
  return Equal(remainder, Value{wanted}, budget);
}

// Python's `is`, where the result is the same in all Python versions.
absl::StatusOr<bool> IsSame(const Value& left, const Value& right, Budget* budget) {
  if (left.data.index() != right.data.index()) return false;
  if (left.IsNone() || left.As<bool>()) return Equal(left, right, budget);
  if (left.map() != nullptr) return left.map() == right.map();
  const bool lists = left.list() && right.list();
  if (lists && left.list()->kind == ListKind::kList) return left.list() == right.list();
  ASSIGN_OR_RETURN(const bool equal, Equal(left, right, budget));
  const auto integer = AsInteger(left);
  if (!equal || (integer && *integer >= -5 && *integer <= 256)) return equal;
  if (left.As<Namespace*>() || left.loop() || left.iterator()) return true;
  return Unsupported(absl::StrCat("'sameas' between two equal values: ", KindName(left)));
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
    return Leaves(name == "even" ? 0 : 1, input, Value{int64_t{2}}, budget);
  }
  if (name == "lower" || name == "upper") {
    RETURN_IF_ERROR(Bind(arguments, {}).status());
    ASSIGN_OR_RETURN(const Text text, ToText(input, budget));
    return name == "lower" ? IsLowerText(text) : IsUpperText(text);
  }
  ASSIGN_OR_RETURN(const std::vector<Value> values, BindPositional(arguments, 1, 1));
  if (name == "divisibleby") return Leaves(0, input, values[0], budget);
  if (name == "sameas") return IsSame(input, values[0], budget);
  return Compare(Comparisons().at(name), input, values[0], budget);
}

}  // namespace

absl::StatusOr<bool> ApplyTest(const std::string& name, const Value& input,
                               const Arguments& arguments, Budget* budget) {
  const bool known = Predicates().count(name) > 0 || Comparisons().count(name) > 0 ||
                     name == "even" || name == "odd" || name == "divisibleby" || name == "sameas" ||
                     name == "lower" || name == "upper";
  if (!known) return Unsupported(absl::StrCat("the test '", Abbreviate(name, 40), "'"));
  absl::StatusOr<bool> result = Evaluate(name, input, arguments, budget);
  if (!result.ok()) return Annotate(result.status(), absl::StrCat("is ", name));
  return result;
}

}  // namespace mozgach::jinja
