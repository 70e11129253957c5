#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/utf8.h"
#include "trainer/chat/jinja/methods.h"
#include "trainer/chat/jinja/string_operations.h"
#include "trainer/chat/jinja/value/case_mapping.h"
#include "trainer/chat/jinja/value/characters.h"
#include "trainer/chat/jinja/value/unsupported.h"

namespace mozgach::jinja {
namespace {

absl::StatusOr<const Text*> TextArgument(const Value& value) {
  if (value.text() != nullptr) return value.text();
  return absl::InvalidArgumentError(absl::StrCat("needs a string, not ", KindName(value)));
}

// Returns a separator or a set of characters; null if none was given.
absl::StatusOr<const std::string*> OptionalString(const Value& value) {
  if (value.IsUndefined() || value.IsNone()) return nullptr;
  ASSIGN_OR_RETURN(const Text* text, TextArgument(value));
  return &text->bytes();
}

absl::StatusOr<Value> ListOf(std::vector<Text> parts, Budget* budget) {
  std::vector<Value> items;
  items.reserve(parts.size());
  for (Text& part : parts) items.push_back(Value::OfText(std::move(part)));
  return MakeList(std::move(items), budget);
}

template <Side side>
absl::StatusOr<Value> StripMethod(const Text& text, const Arguments& arguments, Budget* budget) {
  ASSIGN_OR_RETURN(const std::vector<Value> values, BindPositional(arguments, 0, 1));
  ASSIGN_OR_RETURN(const std::string* set, OptionalString(values[0]));
  return Value::OfText(Strip(text, set, side));
}

template <Text (*change)(const Text&)>
absl::StatusOr<Value> CaseMethod(const Text& text, const Arguments& arguments, Budget* budget) {
  RETURN_IF_ERROR(BindPositional(arguments, 0, 0).status());
  return Value::OfText(change(text));
}

using SplitFunction = absl::StatusOr<std::vector<Text>> (*)(const Text&, const std::string*,
                                                            int64_t, Budget*);

template <SplitFunction split>
absl::StatusOr<Value> SplitMethod(const Text& text, const Arguments& arguments, Budget* budget) {
  ASSIGN_OR_RETURN(const std::vector<Value> values, Bind(arguments, {"sep", "maxsplit"}));
  ASSIGN_OR_RETURN(const std::string* separator, OptionalString(values[0]));
  ASSIGN_OR_RETURN(const int64_t limit, IntegerArgument(values[1], -1));
  ASSIGN_OR_RETURN(std::vector<Text> parts, split(text, separator, limit, budget));
  return ListOf(std::move(parts), budget);
}

absl::StatusOr<Value> SplitLinesMethod(const Text& text, const Arguments& arguments,
                                       Budget* budget) {
  ASSIGN_OR_RETURN(const std::vector<Value> values, Bind(arguments, {"keepends"}));
  ASSIGN_OR_RETURN(std::vector<Text> parts, SplitLines(text, IsTrue(values[0]), budget));
  return ListOf(std::move(parts), budget);
}

bool HasPrefix(std::string_view text, std::string_view part) {
  return text.substr(0, part.size()) == part;
}
bool HasSuffix(std::string_view text, std::string_view part) {
  return text.size() >= part.size() && text.substr(text.size() - part.size()) == part;
}

// startswith and endswith take one string or a tuple of them.
template <bool (*has)(std::string_view, std::string_view)>
absl::StatusOr<Value> AffixMethod(const Text& text, const Arguments& arguments, Budget* budget) {
  ASSIGN_OR_RETURN(const std::vector<Value> values, BindPositional(arguments, 1, 1));
  std::vector<Value> affixes = {values[0]};
  const List* list = values[0].list();
  if (list != nullptr && list->kind == ListKind::kTuple) affixes = list->items;
  for (const Value& value : affixes) {
    ASSIGN_OR_RETURN(const Text* affix, TextArgument(value));
    if (has(text.bytes(), affix->bytes())) return Value{true};
  }
  return Value{false};
}

template <bool prefix>
absl::StatusOr<Value> RemoveMethod(const Text& text, const Arguments& arguments, Budget* budget) {
  ASSIGN_OR_RETURN(const std::vector<Value> values, BindPositional(arguments, 1, 1));
  ASSIGN_OR_RETURN(const Text* affix, TextArgument(values[0]));
  const bool found = (prefix ? HasPrefix : HasSuffix)(text.bytes(), affix->bytes());
  if (!found) return Value::OfText(text);
  if (prefix) return Value::OfText(text.Slice(affix->size(), text.size()));
  return Value::OfText(text.Slice(0, text.size() - affix->size()));
}

absl::StatusOr<Value> ReplaceMethod(const Text& text, const Arguments& arguments, Budget* budget) {
  ASSIGN_OR_RETURN(const std::vector<Value> values, BindPositional(arguments, 2, 3));
  ASSIGN_OR_RETURN(const Text* from, TextArgument(values[0]));
  ASSIGN_OR_RETURN(const Text* to, TextArgument(values[1]));
  ASSIGN_OR_RETURN(const int64_t count, IntegerArgument(values[2], -1));
  ASSIGN_OR_RETURN(Text replaced, Replace(text, from->bytes(), *to, count, budget));
  return Value::OfText(std::move(replaced));
}

absl::StatusOr<Value> FindMethod(const Text& text, const Arguments& arguments, Budget* budget) {
  ASSIGN_OR_RETURN(const std::vector<Value> values, BindPositional(arguments, 1, 1));
  ASSIGN_OR_RETURN(const Text* part, TextArgument(values[0]));
  const size_t found = text.bytes().find(part->bytes());
  if (found == std::string::npos) return Value{int64_t{-1}};
  return Value::OfInteger(CountCharacters(std::string_view(text.bytes()).substr(0, found)));
}

absl::StatusOr<Value> CountMethod(const Text& text, const Arguments& arguments, Budget* budget) {
  ASSIGN_OR_RETURN(const std::vector<Value> values, BindPositional(arguments, 1, 1));
  ASSIGN_OR_RETURN(const Text* part, TextArgument(values[0]));
  if (part->empty()) return Value::OfInteger(CountCharacters(text.bytes()) + 1);
  size_t count = 0;
  for (size_t at = 0; (at = text.bytes().find(part->bytes(), at)) != std::string::npos;
       at += part->size()) {
    ++count;
  }
  return Value::OfInteger(count);
}

absl::StatusOr<Value> JoinMethod(const Text& text, const Arguments& arguments, Budget* budget) {
  ASSIGN_OR_RETURN(const std::vector<Value> values, BindPositional(arguments, 1, 1));
  ASSIGN_OR_RETURN(const auto items, Items(values[0], budget));
  std::vector<Text> parts;
  for (const Value& item : items->items) {
    ASSIGN_OR_RETURN(const Text* part, TextArgument(item));
    RETURN_IF_ERROR(budget->Spend(sizeof(Text) + part->size()));
    parts.push_back(*part);
  }
  ASSIGN_OR_RETURN(Text joined, Join(parts, text, budget));
  return Value::OfText(std::move(joined));
}

absl::StatusOr<Value> IsDigitMethod(const Text& text, const Arguments& arguments, Budget* budget) {
  RETURN_IF_ERROR(BindPositional(arguments, 0, 0).status());
  for (size_t offset = 0; offset < text.size();) {
    const char32_t c = NextCodePoint(text.bytes(), &offset);
    if (IsOtherNumber(c)) return Unsupported("isdigit() of characters such as '²'");
    if (!IsDecimalDigit(c)) return Value{false};
  }
  return Value{!text.empty()};
}

}  // namespace

const std::map<std::string, StringMethod>& StringMethods() {
  static const auto* const methods = new std::map<std::string, StringMethod>{
      {"strip", StripMethod<Side::kBoth>},
      {"lstrip", StripMethod<Side::kLeft>},
      {"rstrip", StripMethod<Side::kRight>},
      {"upper", CaseMethod<Upper>},
      {"lower", CaseMethod<Lower>},
      {"title", CaseMethod<TitleMethod>},
      {"capitalize", CaseMethod<Capitalize>},
      {"split", SplitMethod<Split>},
      {"rsplit", SplitMethod<SplitRight>},
      {"splitlines", SplitLinesMethod},
      {"startswith", AffixMethod<HasPrefix>},
      {"endswith", AffixMethod<HasSuffix>},
      {"removeprefix", RemoveMethod<true>},
      {"removesuffix", RemoveMethod<false>},
      {"replace", ReplaceMethod},
      {"find", FindMethod},
      {"count", CountMethod},
      {"join", JoinMethod},
      {"isdigit", IsDigitMethod},
  };
  return *methods;
}

}  // namespace mozgach::jinja
