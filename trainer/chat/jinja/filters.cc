#include "trainer/chat/jinja/filters.h"

#include <cmath>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/utf8.h"
#include "trainer/chat/jinja/parser.h"
#include "trainer/chat/jinja/serialize.h"
#include "trainer/chat/jinja/string_operations.h"

namespace mozgach::jinja {
namespace {

template <Text (*change)(const Text&)>
absl::StatusOr<Value> CaseFilter(const Value& input, const Arguments& arguments, Budget* budget) {
  RETURN_IF_ERROR(Bind(arguments, {}).status());
  ASSIGN_OR_RETURN(const Text text, ToText(input, budget));
  return Value::OfText(change(text));
}

absl::StatusOr<Value> Trim(const Value& input, const Arguments& arguments, Budget* budget) {
  ASSIGN_OR_RETURN(const std::vector<Value> values, Bind(arguments, {"chars"}));
  ASSIGN_OR_RETURN(const Text text, ToText(input, budget));
  const Text* set = values[0].text();
  return Value::OfText(Strip(text, set == nullptr ? nullptr : &set->bytes(), Side::kBoth));
}

absl::StatusOr<Value> String(const Value& input, const Arguments& arguments, Budget* budget) {
  RETURN_IF_ERROR(Bind(arguments, {}).status());
  ASSIGN_OR_RETURN(Text text, ToText(input, budget));
  return Value::OfText(std::move(text));
}

absl::StatusOr<Value> ReplaceFilter(const Value& input, const Arguments& arguments,
                                    Budget* budget) {
  ASSIGN_OR_RETURN(const std::vector<Value> values, Bind(arguments, {"old", "new", "count"}));
  ASSIGN_OR_RETURN(const Text text, ToText(input, budget));
  ASSIGN_OR_RETURN(const Text from, ToText(values[0], budget));
  ASSIGN_OR_RETURN(const Text to, ToText(values[1], budget));
  ASSIGN_OR_RETURN(Text replaced,
                   Replace(text, from.bytes(), to, AsInteger(values[2]).value_or(-1), budget));
  return Value::OfText(std::move(replaced));
}

absl::StatusOr<Value> Default(const Value& input, const Arguments& arguments, Budget* budget) {
  ASSIGN_OR_RETURN(const std::vector<Value> values, Bind(arguments, {"default_value", "boolean"}));
  if (!input.IsUndefined() && (IsTrue(input) || !IsTrue(values[1]))) return input;
  return values[0].IsUndefined() ? Value::OfText(Text()) : values[0];
}

absl::StatusOr<Value> ToJson(const Value& input, const Arguments& arguments, Budget* budget) {
  ASSIGN_OR_RETURN(const std::vector<Value> values, Bind(arguments, {"indent", "ensure_ascii"}));
  if (IsTrue(values[1])) return Unsupported("tojson's ensure_ascii=true");
  ASSIGN_OR_RETURN(Text text, ToJsonText(input, AsInteger(values[0]), budget));
  return Value::OfText(std::move(text));
}

absl::StatusOr<Value> Int(const Value& input, const Arguments& arguments, Budget* budget) {
  ASSIGN_OR_RETURN(const std::vector<Value> values, Bind(arguments, {"default"}));
  const Value otherwise = values[0].IsUndefined() ? Value{int64_t{0}} : values[0];
  if (const auto integer = AsInteger(input)) return Value{*integer};
  double number = 0;
  if (const auto* value = input.As<double>()) number = *value;
  if (const Text* text = input.text()) {
    int64_t integer = 0;
    if (absl::SimpleAtoi(text->bytes(), &integer)) return Value{integer};
    if (!absl::SimpleAtod(text->bytes(), &number)) return otherwise;
  } else if (input.As<double>() == nullptr) {
    return otherwise;
  }
  if (!(std::fabs(number) < 9e18)) return otherwise;
  return Value{static_cast<int64_t>(number)};
}

absl::StatusOr<Value> Float(const Value& input, const Arguments& arguments, Budget* budget) {
  ASSIGN_OR_RETURN(const std::vector<Value> values, Bind(arguments, {"default"}));
  double number = 0;
  if (const auto value = AsNumber(input)) return Value{*value};
  if (input.text() != nullptr && absl::SimpleAtod(input.text()->bytes(), &number)) {
    return Value{number};
  }
  return values[0].IsUndefined() ? Value{0.0} : values[0];
}

absl::StatusOr<Value> Abs(const Value& input, const Arguments& arguments, Budget* budget) {
  RETURN_IF_ERROR(Bind(arguments, {}).status());
  if (const auto integer = AsInteger(input)) {
    if (*integer == INT64_MIN) return absl::InvalidArgumentError("a number is too large");
    return Value{*integer < 0 ? -*integer : *integer};
  }
  if (const auto* number = input.As<double>()) return Value{std::fabs(*number)};
  return absl::InvalidArgumentError(absl::StrCat("needs a number, not ", KindName(input)));
}

absl::StatusOr<Value> Indent(const Value& input, const Arguments& arguments, Budget* budget) {
  ASSIGN_OR_RETURN(const std::vector<Value> values, Bind(arguments, {"width", "first", "blank"}));
  ASSIGN_OR_RETURN(const Text text, ToText(input, budget));
  std::string margin(4, ' ');
  if (const auto width = AsInteger(values[0])) {
    if (*width < 0 || *width > 1000) return absl::InvalidArgumentError("width must be 0 to 1000");
    margin.assign(static_cast<size_t>(*width), ' ');
  } else if (values[0].text() != nullptr) {
    margin = values[0].text()->bytes();
  }
  Text out;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.bytes().find('\n', begin), text.size());
    const bool indents = begin == 0 ? IsTrue(values[1]) : end > begin || IsTrue(values[2]);
    RETURN_IF_ERROR(budget->Spend(margin.size()));
    if (indents) out.Append(margin, kTemplateOrigin);
    out.AppendRange(text, begin, std::min(end + 1, text.size()));
    begin = end + 1;
  }
  return Value::OfText(std::move(out));
}

absl::StatusOr<Value> Same(const Value& input, const Arguments& arguments, Budget* budget) {
  RETURN_IF_ERROR(Bind(arguments, {}).status());
  return input;
}

}  // namespace

FilterFunction FindScalarFilter(const std::string& name) {
  static const auto* const filters = new std::map<std::string, FilterFunction>{
      {"trim", Trim},
      {"upper", CaseFilter<Upper>},
      {"string", String},
      {"lower", CaseFilter<Lower>},
      {"replace", ReplaceFilter},
      {"capitalize", CaseFilter<Capitalize>},
      {"default", Default},
      {"title", CaseFilter<TitleFilter>},
      {"d", Default},
      {"tojson", ToJson},
      {"int", Int},
      {"float", Float},
      {"abs", Abs},
      {"indent", Indent},
      {"safe", Same},
  };
  const auto found = filters->find(name);
  return found == filters->end() ? nullptr : found->second;
}

absl::StatusOr<Value> ApplyFilter(const std::string& name, const Value& input,
                                  const Arguments& arguments, Budget* budget) {
  FilterFunction filter = FindScalarFilter(name);
  if (filter == nullptr) filter = FindListFilter(name);
  if (filter == nullptr) {
    return Unsupported(absl::StrCat("the filter '", Abbreviate(name, 40), "'"));
  }
  RETURN_IF_ERROR(budget->Spend());
  absl::StatusOr<Value> result = filter(input, arguments, budget);
  if (!result.ok()) return Annotate(result.status(), name);
  return result;
}

}  // namespace mozgach::jinja
