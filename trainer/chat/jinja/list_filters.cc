#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "trainer/chat/jinja/access.h"
#include "trainer/chat/jinja/filters.h"
#include "trainer/chat/jinja/string_operations.h"
#include "trainer/chat/jinja/value/case_mapping.h"
#include "trainer/chat/jinja/value/serialize.h"

namespace mozgach::jinja {
namespace {

absl::StatusOr<Value> Length(const Value& input, const Arguments& arguments, Budget* budget) {
  RETURN_IF_ERROR(Bind(arguments, {}).status());
  if (const Text* text = input.text()) {
    RETURN_IF_ERROR(budget->Spend(text->size()));
    return Value::OfInteger(CountCharacters(text->bytes()));
  }
  if (const Map* map = input.map()) return Value::OfInteger(map->entries.size());
  if (const Loop* loop = input.loop()) return Value::OfInteger(loop->items->items.size());
  if (input.iterator() != nullptr) {
    return absl::InvalidArgumentError("what a filter such as map gives has no length: use | list");
  }
  ASSIGN_OR_RETURN(const auto items, Items(input, budget));
  return Value::OfInteger(items->items.size());
}

template <bool first>
absl::StatusOr<Value> End(const Value& input, const Arguments& arguments, Budget* budget) {
  RETURN_IF_ERROR(Bind(arguments, {}).status());
  if (!first && input.iterator() != nullptr) {
    return absl::InvalidArgumentError("what a filter such as map gives has no end: use | list");
  }
  ASSIGN_OR_RETURN(const auto items, Items(input, budget));
  StopReading(input);
  if (items->items.empty()) return Value::Missing("there is no item, the sequence is empty");
  return first ? items->items.front() : items->items.back();
}

absl::StatusOr<Value> ListFilter(const Value& input, const Arguments& arguments, Budget* budget) {
  RETURN_IF_ERROR(Bind(arguments, {}).status());
  ASSIGN_OR_RETURN(const auto items, Items(input, budget));
  return MakeList(items->items, budget);
}

absl::StatusOr<Value> Reverse(const Value& input, const Arguments& arguments, Budget* budget) {
  RETURN_IF_ERROR(Bind(arguments, {}).status());
  ASSIGN_OR_RETURN(const auto items, Items(input, budget));
  RETURN_IF_ERROR(budget->Spend(items->items.size() * sizeof(Value)));
  std::vector<Value> reversed(items->items.rbegin(), items->items.rend());
  if (input.iterator() != nullptr) return MakeList(std::move(reversed), budget);
  if (input.text() == nullptr) return MakeIterator(std::move(reversed), budget);
  Text text;
  for (const Value& character : reversed) text.Append(*character.text());
  return Value::OfText(std::move(text));
}

absl::StatusOr<Value> JoinFilter(const Value& input, const Arguments& arguments, Budget* budget) {
  ASSIGN_OR_RETURN(const std::vector<Value> values, Bind(arguments, {"d", "attribute"}));
  ASSIGN_OR_RETURN(const auto items, Items(input, budget));
  ASSIGN_OR_RETURN(const Text separator, ToText(values[0], budget));
  const bool whole = values[1].IsUndefined() || values[1].IsNone();
  std::vector<Text> parts;
  for (const Value& item : items->items) {
    RETURN_IF_ERROR(budget->Spend(sizeof(Text)));
    Value part = item;
    if (!whole) {
      ASSIGN_OR_RETURN(part, GetPath(item, values[1], Value(), budget));
    }
    ASSIGN_OR_RETURN(Text text, ToText(part, budget));
    parts.push_back(std::move(text));
  }
  ASSIGN_OR_RETURN(Text joined, Join(parts, separator, budget));
  return Value::OfText(std::move(joined));
}

absl::StatusOr<std::vector<Value>> Pairs(const Value& input, Budget* budget) {
  if (input.map() == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("needs a mapping, not ", KindName(input)));
  }
  std::vector<Value> pairs;
  for (const auto& [key, value] : input.map()->entries) {
    RETURN_IF_ERROR(budget->Spend(sizeof(Text) + key.size()));
    ASSIGN_OR_RETURN(Value pair,
                     MakeList({Value::OfText(Text(key)), value}, budget, ListKind::kTuple));
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

absl::StatusOr<Value> ItemsFilter(const Value& input, const Arguments& arguments, Budget* budget) {
  RETURN_IF_ERROR(Bind(arguments, {}).status());
  if (input.IsUndefined()) return MakeIterator({}, budget);
  ASSIGN_OR_RETURN(std::vector<Value> pairs, Pairs(input, budget));
  return MakeIterator(std::move(pairs), budget);
}

absl::StatusOr<Value> DictSort(const Value& input, const Arguments& arguments, Budget* budget) {
  RETURN_IF_ERROR(Bind(arguments, {}).status());
  ASSIGN_OR_RETURN(const std::vector<Value> pairs, Pairs(input, budget));
  std::vector<std::pair<std::string, Value>> keyed;
  for (const Value& pair : pairs) {
    RETURN_IF_ERROR(budget->Spend(pair.list()->items[0].text()->size()));
    keyed.emplace_back(Lower(*pair.list()->items[0].text()).bytes(), pair);
  }
  std::stable_sort(keyed.begin(), keyed.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Value> sorted;
  for (auto& [key, pair] : keyed) sorted.push_back(std::move(pair));
  return MakeList(std::move(sorted), budget);
}

// map('upper') applies a filter to each item, map(attribute='role') takes an attribute of each.
absl::StatusOr<Value> MapFilter(const Value& input, const Arguments& arguments, Budget* budget) {
  if (!IsTrue(input)) return MakeIterator({}, budget);
  ASSIGN_OR_RETURN(const auto items, Items(input, budget));
  std::vector<Value> mapped;
  const Text* filter = arguments.positional.empty() ? nullptr : arguments.positional[0].text();
  std::vector<Value> named(2);
  if (filter == nullptr) {
    if (!arguments.positional.empty()) return absl::InvalidArgumentError("needs a filter's name");
    ASSIGN_OR_RETURN(named, Bind(arguments, {"attribute", "default"}, 1));
  }
  for (const Value& item : items->items) {
    Value result;
    if (filter != nullptr) {
      ASSIGN_OR_RETURN(result, ApplyFilter(filter->bytes(), item, arguments.Rest(), budget));
    } else {
      ASSIGN_OR_RETURN(result, GetPath(item, named[0], named[1], budget));
    }
    mapped.push_back(std::move(result));
  }
  return MakeIterator(std::move(mapped), budget);
}

// The items for which a test holds; without a test, those that are true.
absl::StatusOr<Value> SelectItems(const Value& input, const Arguments& test, const Value* attribute,
                                  bool wanted, Budget* budget) {
  ASSIGN_OR_RETURN(const auto items, Items(input, budget));
  std::vector<Value> selected;
  for (const Value& item : items->items) {
    RETURN_IF_ERROR(budget->Spend());
    Value subject = item;
    if (attribute != nullptr) {
      ASSIGN_OR_RETURN(subject, GetPath(item, *attribute, Value(), budget));
    }
    bool holds = IsTrue(subject);
    if (!test.positional.empty()) {
      if (test.positional[0].text() == nullptr) {
        return absl::InvalidArgumentError("needs a test's name");
      }
      ASSIGN_OR_RETURN(holds,
                       ApplyTest(test.positional[0].text()->bytes(), subject, test.Rest(), budget));
    }
    if (holds == wanted) selected.push_back(item);
  }
  return MakeIterator(std::move(selected), budget);
}

template <bool wanted>
absl::StatusOr<Value> Select(const Value& input, const Arguments& arguments, Budget* budget) {
  if (!IsTrue(input)) return MakeIterator({}, budget);
  return SelectItems(input, arguments, nullptr, wanted, budget);
}

template <bool wanted>
absl::StatusOr<Value> SelectAttribute(const Value& input, const Arguments& arguments,
                                      Budget* budget) {
  if (!IsTrue(input)) return MakeIterator({}, budget);
  if (arguments.positional.empty()) {
    return absl::InvalidArgumentError("needs the name of an attribute");
  }
  return SelectItems(input, arguments.Rest(), &arguments.positional[0], wanted, budget);
}

}  // namespace

FilterFunction FindListFilter(const std::string& name) {
  static const auto* const filters = new std::map<std::string, FilterFunction>{
      {"length", Length},
      {"count", Length},
      {"first", End<true>},
      {"last", End<false>},
      {"list", ListFilter},
      {"reverse", Reverse},
      {"join", JoinFilter},
      {"items", ItemsFilter},
      {"dictsort", DictSort},
      {"map", MapFilter},
      {"select", Select<true>},
      {"reject", Select<false>},
      {"selectattr", SelectAttribute<true>},
      {"rejectattr", SelectAttribute<false>},
  };
  const auto found = filters->find(name);
  return found == filters->end() ? nullptr : found->second;
}

}  // namespace mozgach::jinja
