#include <ctime>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/utf8.h"
#include "trainer/chat/jinja/access.h"
#include "trainer/chat/jinja/interpreter.h"
#include "trainer/chat/jinja/methods.h"
#include "trainer/chat/jinja/value/serialize.h"
#include "trainer/chat/jinja/value/unsupported.h"

namespace mozgach::jinja {
namespace {

constexpr size_t kMaxNamespaces = 100'000;
constexpr size_t kMaxRange = 100'000;
constexpr size_t kMaxDateFormat = 200;

absl::StatusOr<Value> Range(const Arguments& arguments, Budget* budget) {
  ASSIGN_OR_RETURN(std::vector<Value> bounds, BindPositional(arguments, 1, 3));
  if (bounds[1].IsUndefined()) bounds[1] = std::exchange(bounds[0], Value{int64_t{0}});
  if (bounds[2].IsUndefined()) bounds[2] = Value{int64_t{1}};
  for (const Value& bound : bounds) {
    if (!AsInteger(bound)) {
      return absl::InvalidArgumentError(
          absl::StrCat("range() needs integers, not ", KindName(bound)));
    }
  }
  const int64_t end = *AsInteger(bounds[1]);
  const int64_t step = *AsInteger(bounds[2]);
  if (step == 0) return absl::InvalidArgumentError("range(): the step is 0");
  std::vector<Value> items;
  for (int64_t i = *AsInteger(bounds[0]); step > 0 ? i < end : i > end;) {
    if (items.size() >= kMaxRange) {
      return absl::ResourceExhaustedError(
          absl::StrCat("range() of more than ", kMaxRange, " items"));
    }
    items.push_back({i});
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  return MakeList(std::move(items), budget, ListKind::kRange);
}

// dict(mapping or pairs, name=value, …)
absl::StatusOr<std::vector<Entry>> DictEntries(const Arguments& arguments, Budget* budget) {
  if (arguments.positional.size() > 1) {
    return absl::InvalidArgumentError("takes one mapping or one list of pairs");
  }
  std::vector<Entry> entries;
  const Map* map = arguments.positional.empty() ? nullptr : arguments.positional[0].map();
  if (map != nullptr) {
    RETURN_IF_ERROR(budget->Spend(map->entries.size() * sizeof(Entry)));
    entries = map->entries;
  } else if (!arguments.positional.empty()) {
    ASSIGN_OR_RETURN(const auto pairs, Items(arguments.positional[0], budget));
    for (const Value& pair : pairs->items) {
      ASSIGN_OR_RETURN(const auto parts, Items(pair, budget));
      if (parts->items.size() != 2) {
        return absl::InvalidArgumentError("needs pairs of a key and a value");
      }
      RETURN_IF_ERROR(CheckHashable(parts->items[0]));
      const Text* key = parts->items[0].text();
      if (key == nullptr) {
        return Unsupported(absl::StrCat("a mapping's key that is ", KindName(parts->items[0])));
      }
      entries.emplace_back(key->bytes(), parts->items[1]);
    }
  }
  entries.insert(entries.end(), arguments.named.begin(), arguments.named.end());
  return entries;
}

// The directives that mean the same on every machine.
absl::Status CheckDateFormat(const std::string& format) {
  static constexpr std::string_view kFlags = "-_0^#";
  static constexpr std::string_view kDirectives = "aAbBcCdDeFgGhHIjmMnpRStTuUVwWxXyY%";
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] == '\0') return Unsupported("strftime_now() with a zero byte");
    if (format[i] != '%') continue;
    do {
      ++i;
    } while (i < format.size() && kFlags.find(format[i]) != std::string_view::npos);
    if (i >= format.size() || kDirectives.find(format[i]) == std::string_view::npos) {
      return Unsupported("this format of strftime_now()");
    }
  }
  return absl::OkStatus();
}

// The day that every job has: the one Llama 3's templates fall back to.
std::tm FixedDate() {
  std::tm date{};
  date.tm_year = 2024 - 1900;
  date.tm_mon = 7 - 1;
  date.tm_mday = 26;
  date.tm_wday = 5;
  date.tm_yday = 207;
  return date;
}

absl::StatusOr<Value> StrftimeNow(const Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::vector<Value> values, Bind(arguments, {"format"}));
  const Text* format = values[0].text();
  if (format == nullptr || format->bytes().size() > kMaxDateFormat) {
    return absl::InvalidArgumentError("strftime_now() needs a short text as its format");
  }
  if (format->bytes().empty()) return Value::OfText(Text());
  RETURN_IF_ERROR(CheckDateFormat(format->bytes()));
  const std::tm date = FixedDate();
  // A directive writes at most some 30 characters.
  std::string written(64 + 16 * format->bytes().size(), '\0');
  written.resize(std::strftime(written.data(), written.size(), format->bytes().c_str(), &date));
  return Value::OfText(Text(std::move(written)));
}

}  // namespace

absl::StatusOr<Value> Interpreter::Get(const Call& node) {
  if (const auto* attribute = std::get_if<Attribute>(&node.callee->node)) {
    ASSIGN_OR_RETURN(const Value object, Evaluate(*attribute->object));
    ASSIGN_OR_RETURN(const Arguments arguments, EvaluateArguments(node.arguments));
    return CallAttribute(object, attribute->name, arguments);
  }
  ASSIGN_OR_RETURN(const Value callee, Evaluate(*node.callee));
  if (const auto* name = std::get_if<Name>(&node.callee->node); name && callee.IsUndefined()) {
    return Unsupported(absl::StrCat("the function '", name->name, "'"));
  }
  ASSIGN_OR_RETURN(const Arguments arguments, EvaluateArguments(node.arguments));
  return CallValue(callee, arguments);
}

absl::StatusOr<Arguments> Interpreter::EvaluateArguments(const ArgumentList& list) {
  Arguments arguments;
  for (const ExpressionPtr& argument : list.positional) {
    ASSIGN_OR_RETURN(Value value, Evaluate(*argument));
    arguments.positional.push_back(std::move(value));
  }
  for (const auto& [name, argument] : list.named) {
    ASSIGN_OR_RETURN(Value value, Evaluate(*argument));
    arguments.named.emplace_back(name, std::move(value));
  }
  return arguments;
}

absl::StatusOr<Value> Interpreter::CallValue(const Value& callee, const Arguments& arguments) {
  if (const auto* function = callee.As<Function>()) return CallFunction(function->name, arguments);
  if (const auto* macro = callee.As<Macro>()) return CallMacro(*macro, arguments);
  if (const auto* undefined = callee.As<Undefined>()) {
    return absl::InvalidArgumentError(*undefined->why);
  }
  return absl::InvalidArgumentError(absl::StrCat(KindName(callee), " cannot be called"));
}

absl::StatusOr<Value> Interpreter::CallAttribute(const Value& object, const std::string& name,
                                                 const Arguments& arguments) {
  if (object.loop() != nullptr && name == "cycle" && !arguments.positional.empty()) {
    return arguments.positional[object.loop()->index % arguments.positional.size()];
  }
  if (object.text() || object.list() || object.map() || object.iterator()) {
    return CallMethod(object, name, arguments, &budget_);
  }
  ASSIGN_OR_RETURN(const Value callee, GetAttribute(object, name, &budget_));
  if (object.loop() != nullptr && callee.IsUndefined()) {
    return Unsupported(absl::StrCat("loop.", Abbreviate(name, 40), "()"));
  }
  return CallValue(callee, arguments);
}

absl::StatusOr<Value> Interpreter::CallFunction(std::string_view name, const Arguments& arguments) {
  if (name == "raise_exception") {
    ASSIGN_OR_RETURN(const std::vector<Value> values, Bind(arguments, {"message"}));
    ASSIGN_OR_RETURN(const Text message, ToText(values[0], &budget_));
    raised_ = true;
    return absl::InvalidArgumentError(message.bytes());
  }
  if (name == "namespace") {
    absl::StatusOr<Value> made = MakeNamespace(arguments);
    if (!made.ok()) return Annotate(made.status(), "namespace()");
    return made;
  }
  if (name == "dict") {
    absl::StatusOr<std::vector<Entry>> entries = DictEntries(arguments, &budget_);
    if (!entries.ok()) return Annotate(entries.status(), "dict()");
    return MakeMap(*std::move(entries), &budget_);
  }
  if (name == "range") return Range(arguments, &budget_);
  if (name == "strftime_now") return StrftimeNow(arguments);
  return Unsupported("calling a method by another name");
}

absl::StatusOr<Value> Interpreter::MakeNamespace(const Arguments& arguments) {
  if (namespaces_.size() >= kMaxNamespaces) {
    return absl::ResourceExhaustedError("the chat template makes too many namespaces");
  }
  ASSIGN_OR_RETURN(std::vector<Entry> entries, DictEntries(arguments, &budget_));
  namespaces_.emplace_back();
  for (auto& [key, value] : entries) {
    RETURN_IF_ERROR(budget_.Spend(namespaces_.back().entries.size()));
    namespaces_.back().Set(key, std::move(value));
  }
  return Value{&namespaces_.back()};
}

absl::Status Interpreter::BindParameters(const MacroStatement& macro, const Arguments& arguments) {
  if (arguments.positional.size() > macro.parameters.size()) {
    return Unsupported(absl::StrCat("the macro '", macro.name, "' with more than its ",
                                    macro.parameters.size(), " arguments"));
  }
  for (const auto& [name, value] : arguments.named) {
    size_t place = 0;
    while (place < macro.parameters.size() && macro.parameters[place].first != name) ++place;
    if (place == macro.parameters.size()) {
      return Unsupported(
          absl::StrCat("the macro '", macro.name, "' with '", name, "', which it does not name,"));
    }
    if (place < arguments.positional.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("the macro '", macro.name, "' is given '", name, "' twice"));
    }
    scopes_.back().names[name] = value;
  }
  for (size_t i = 0; i < macro.parameters.size(); ++i) {
    const auto& [name, otherwise] = macro.parameters[i];
    std::map<std::string, Value>& names = scopes_.back().names;
    if (i < arguments.positional.size()) {
      names[name] = arguments.positional[i];
    } else if (names.count(name) == 0) {
      Value value = Value::Missing(absl::StrCat("parameter '", name, "' was not given"));
      ASSIGN_OR_RETURN(value, EvaluateOr(otherwise, value));
      scopes_.back().names[name] = std::move(value);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Value> Interpreter::CallMacro(const Macro& macro, const Arguments& arguments) {
  if (macro.scope >= scopes_.size() || scopes_[macro.scope].number != macro.scope_number) {
    return Unsupported(absl::StrCat("the macro '", macro.node->name, "' outside of its block"));
  }
  Text text;
  PushScope(macro.scope);
  RETURN_IF_ERROR(BindParameters(*macro.node, arguments));
  ++macro_depth_;
  RETURN_IF_ERROR(Execute(macro.node->body, &text).status());
  --macro_depth_;
  scopes_.pop_back();
  return Value::OfText(std::move(text));
}

}  // namespace mozgach::jinja
