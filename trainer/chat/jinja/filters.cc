#include "trainer/chat/jinja/filters.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/utf8.h"
#include "trainer/chat/jinja/string_operations.h"
#include "trainer/chat/jinja/value/case_mapping.h"
#include "trainer/chat/jinja/value/numbers.h"
#include "trainer/chat/jinja/value/serialize.h"
#include "trainer/chat/jinja/value/unsupported.h"

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
  if (set == nullptr && !values[0].IsUndefined() && !values[0].IsNone()) {
    return absl::InvalidArgumentError(absl::StrCat("needs a string, not ", KindName(values[0])));
  }
  return Value::OfText(Strip(text, set == nullptr ? nullptr : &set->bytes(), Side::kBoth));
}

absl::StatusOr<Value> String(const Value& input, const Arguments& arguments, Budget* budget) {
  RETURN_IF_ERROR(Bind(arguments, {}).status());
  ASSIGN_OR_RETURN(Text text, ToText(input, budget));
  return Value::OfText(std::move(text));
}

absl::StatusOr<Value> ReplaceFilter(const Value& input, const Arguments& arguments,
                                    Budget* budget) {
  ASSIGN_OR_RETURN(const std::vector<Value> values, Bind(arguments, {"old", "new", "count"}, 2));
  ASSIGN_OR_RETURN(const Text text, ToText(input, budget));
  ASSIGN_OR_RETURN(const Text from, ToText(values[0], budget));
  ASSIGN_OR_RETURN(const Text to, ToText(values[1], budget));
  int64_t count = -1;
  if (!values[2].IsNone()) {
    ASSIGN_OR_RETURN(count, IntegerArgument(values[2], -1));
  }
  ASSIGN_OR_RETURN(Text replaced, Replace(text, from.bytes(), to, count, budget));
  return Value::OfText(std::move(replaced));
}

absl::StatusOr<Value> Default(const Value& input, const Arguments& arguments, Budget* budget) {
  ASSIGN_OR_RETURN(const std::vector<Value> values, Bind(arguments, {"default_value", "boolean"}));
  if (!input.IsUndefined() && (IsTrue(input) || !IsTrue(values[1]))) return input;
  return values[0].IsUndefined() ? Value::OfText(Text()) : values[0];
}

// transformers' tojson: json.dumps without escapes for HTML.
absl::StatusOr<Value> ToJson(const Value& input, const Arguments& arguments, Budget* budget) {
  ASSIGN_OR_RETURN(const std::vector<Value> values,
                   Bind(arguments, {"ensure_ascii", "indent", "separators", "sort_keys"}));
  if (IsTrue(values[0])) return Unsupported("tojson's ensure_ascii=true");
  if (!values[2].IsUndefined() && !values[2].IsNone()) return Unsupported("tojson's separators");
  if (IsTrue(values[3])) return Unsupported("tojson's sort_keys=true");
  const bool indents = !values[1].IsUndefined() && !values[1].IsNone();
  if (indents && !AsInteger(values[1])) {
    return Unsupported(absl::StrCat("tojson's indent that is ", KindName(values[1])));
  }
  ASSIGN_OR_RETURN(Text text, ToJsonText(input, AsInteger(values[1]), budget));
  return Value::OfText(std::move(text));
}

absl::StatusOr<Value> Int(const Value& input, const Arguments& arguments, Budget* budget) {
  RETURN_IF_ERROR(CheckDefined(input));
  ASSIGN_OR_RETURN(const std::vector<Value> values, Bind(arguments, {"default"}));
  const Value otherwise = values[0].IsUndefined() ? Value{int64_t{0}} : values[0];
  if (const auto integer = AsInteger(input)) return Value{*integer};
  std::optional<double> number;
  if (const auto* value = input.As<double>()) number = *value;
  if (const Text* text = input.text()) {
    RETURN_IF_ERROR(budget->Spend(text->size()));
    ASSIGN_OR_RETURN(const std::optional<int64_t> integer, ParseInteger(text->bytes()));
    if (integer) return Value{*integer};
    ASSIGN_OR_RETURN(number, ParseFloat(text->bytes()));
    if (number && std::isinf(*number)) return otherwise;
  }
  if (!number) return otherwise;
  ASSIGN_OR_RETURN(const std::optional<int64_t> whole, Truncate(*number));
  return whole ? Value{*whole} : otherwise;
}

absl::StatusOr<Value> Float(const Value& input, const Arguments& arguments, Budget* budget) {
  RETURN_IF_ERROR(CheckDefined(input));
  ASSIGN_OR_RETURN(const std::vector<Value> values, Bind(arguments, {"default"}));
  if (const auto value = AsNumber(input)) return Value{*value};
  if (const Text* text = input.text()) {
    RETURN_IF_ERROR(budget->Spend(text->size()));
    ASSIGN_OR_RETURN(const std::optional<double> number, ParseFloat(text->bytes()));
    if (number) return Value{*number};
  }
  return values[0].IsUndefined() ? Value{0.0} : values[0];
}

absl::StatusOr<Value> Abs(const Value& input, const Arguments& arguments, Budget* budget) {
  RETURN_IF_ERROR(Bind(arguments, {}).status());
  if (const auto integer = AsInteger(input)) {
    if (*integer == INT64_MIN) return Unsupported("an integer beyond 64 bits");
    return Value{*integer < 0 ? -*integer : *integer};
  }
  if (const auto* number = input.As<double>()) return Value{std::fabs(*number)};
  return absl::InvalidArgumentError(absl::StrCat("needs a number, not ", KindName(input)));
}

// Cuts `text` into lines, as Jinja does: if it ends with a line break, one more, empty line
// follows.
absl::StatusOr<std::vector<Text>> LinesToIndent(const Text& text, Budget* budget) {
  Text ended = text;
  ended.Append("\n", kTemplateOrigin);
  return SplitLines(ended, /*keep_ends=*/false, budget);
}

absl::StatusOr<Value> Indent(const Value& input, const Arguments& arguments, Budget* budget) {
  ASSIGN_OR_RETURN(const std::vector<Value> values, Bind(arguments, {"width", "first", "blank"}));
  if (input.text() == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("needs a string, not ", KindName(input)));
  }
  std::string margin;
  if (const Text* text = values[0].text()) {
    margin = text->bytes();
  } else {
    ASSIGN_OR_RETURN(const int64_t width, IntegerArgument(values[0], 4));
    if (width > 1000) return Unsupported("a width above 1000");
    margin.assign(static_cast<size_t>(std::max<int64_t>(0, width)), ' ');
  }
  ASSIGN_OR_RETURN(const std::vector<Text> lines, LinesToIndent(*input.text(), budget));
  Text out;
  for (size_t i = 0; i < lines.size(); ++i) {
    RETURN_IF_ERROR(budget->Spend(margin.size() + lines[i].size()));
    if (i > 0) out.Append("\n", kTemplateOrigin);
    const bool indents = i == 0 ? IsTrue(values[1]) : !lines[i].empty() || IsTrue(values[2]);
    if (indents) out.Append(margin, kTemplateOrigin);
    out.Append(lines[i]);
  }
  return Value::OfText(std::move(out));
}

absl::StatusOr<Value> Safe(const Value& input, const Arguments& arguments, Budget* budget) {
  RETURN_IF_ERROR(Bind(arguments, {}).status());
  ASSIGN_OR_RETURN(Text text, ToText(input, budget));
  text.set_markup();
  return Value::OfText(std::move(text));
}

// Returns true for filters that ignore the mark 'safe' of a string.
bool KeepsMarkup(const std::string& name) {
  static constexpr std::string_view kNames[] = {"safe",    "string", "length", "count",
                                                "default", "d",      "tojson"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
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
      {"safe", Safe},
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
  if (input.text() != nullptr && input.text()->markup() && !KeepsMarkup(name)) {
    return Unsupported(absl::StrCat("the filter '", name, "' on a string that is marked 'safe'"));
  }
  RETURN_IF_ERROR(budget->Spend());
  absl::StatusOr<Value> result = filter(input, arguments, budget);
  if (!result.ok()) return Annotate(result.status(), name);
  return result;
}

}  // namespace mozgach::jinja
