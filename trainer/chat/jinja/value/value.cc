#include "trainer/chat/jinja/value/value.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "trainer/chat/jinja/value/unsupported.h"

namespace mozgach::jinja {
namespace {

int DepthOf(const Value& value) {
  if (const List* list = value.list()) return list->depth;
  if (const Map* map = value.map()) return map->depth;
  if (const Loop* loop = value.loop()) return loop->items->depth;
  if (const Iterator* iterator = value.iterator()) return iterator->items->depth;
  return 0;
}

template <typename Entries>
auto FindEntry(Entries& entries, std::string_view key) {
  return std::find_if(entries.begin(), entries.end(),
                      [&](const Entry& entry) { return entry.first == key; });
}

template <typename Entries>
const Value* FindValue(const Entries& entries, std::string_view key) {
  const auto found = FindEntry(entries, key);
  return found == entries.end() ? nullptr : &found->second;
}

absl::StatusOr<bool> EqualLists(const List& a, const List& b, Budget* budget) {
  if (a.kind != b.kind || a.items.size() != b.items.size()) return false;
  for (size_t i = 0; i < a.items.size(); ++i) {
    ASSIGN_OR_RETURN(const bool equal, Equal(a.items[i], b.items[i], budget));
    if (!equal) return false;
  }
  return true;
}

absl::StatusOr<bool> EqualMaps(const Map& a, const Map& b, Budget* budget) {
  if (a.entries.size() != b.entries.size()) return false;
  for (const auto& [key, value] : a.entries) {
    RETURN_IF_ERROR(budget->Spend(b.entries.size()));
    const Value* other = b.Find(key);
    if (other == nullptr) return false;
    ASSIGN_OR_RETURN(const bool equal, Equal(value, *other, budget));
    if (!equal) return false;
  }
  return true;
}

}  // namespace

absl::Status CheckDepth(int depth) {
  if (depth <= kMaxNesting) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("values nested more than ", kMaxNesting, " deep"));
}

const Value* Map::Find(std::string_view key) const { return FindValue(entries, key); }

const Value* Namespace::Find(std::string_view key) const { return FindValue(entries, key); }

void Namespace::Set(const std::string& key, Value value) {
  const auto found = FindEntry(entries, key);
  if (found != entries.end()) {
    found->second = std::move(value);
  } else {
    entries.emplace_back(key, std::move(value));
  }
}

absl::StatusOr<Value> MakeList(std::vector<Value> items, Budget* budget, ListKind kind) {
  RETURN_IF_ERROR(budget->Spend(items.size() * sizeof(Value)));
  auto list = std::make_shared<List>();
  for (const Value& item : items) list->depth = std::max(list->depth, DepthOf(item) + 1);
  RETURN_IF_ERROR(CheckDepth(list->depth));
  list->items = std::move(items);
  list->kind = kind;
  return Value{std::shared_ptr<const List>(std::move(list))};
}

absl::StatusOr<Value> MakeIterator(std::vector<Value> items, Budget* budget) {
  ASSIGN_OR_RETURN(const Value list, MakeList(std::move(items), budget));
  auto iterator = std::make_shared<Iterator>();
  iterator->items = std::get<std::shared_ptr<const List>>(list.data);
  return Value{std::move(iterator)};
}

absl::StatusOr<Value> MakeMap(std::vector<Entry> entries, Budget* budget) {
  auto map = std::make_shared<Map>();
  for (Entry& entry : entries) {
    RETURN_IF_ERROR(budget->Spend(sizeof(Entry) + map->entries.size()));
    map->depth = std::max(map->depth, DepthOf(entry.second) + 1);
    const auto found = FindEntry(map->entries, entry.first);
    if (found != map->entries.end()) {
      found->second = std::move(entry.second);
    } else {
      map->entries.push_back(std::move(entry));
    }
  }
  RETURN_IF_ERROR(CheckDepth(map->depth));
  return Value{std::shared_ptr<const Map>(std::move(map))};
}

absl::Status CheckDefined(const Value& value) {
  if (const auto* undefined = value.As<Undefined>()) {
    return absl::InvalidArgumentError(*undefined->why);
  }
  return absl::OkStatus();
}

absl::Status CheckHashable(const Value& value) {
  const List* list = value.list();
  const bool fixed = list == nullptr || list->kind == ListKind::kTuple ||
                     list->kind == ListKind::kRange || list->kind == ListKind::kValues;
  if (value.map() == nullptr && fixed) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(KindName(value), " cannot be a key"));
}

std::string KindName(const Value& value) {
  static constexpr const char* kNames[] = {
      "undefined", "none",      "boolean",  "integer", "float",      "string",     "list",
      "mapping",   "namespace", "the loop", "a macro", "a function", "an iterator"};
  static constexpr const char* kListNames[] = {"list",      "tuple",       "range",
                                               "dict_keys", "dict_values", "dict_items"};
  if (const List* list = value.list()) return kListNames[static_cast<size_t>(list->kind)];
  return kNames[value.data.index()];
}

bool IsTrue(const Value& value) {
  if (value.IsUndefined() || value.IsNone()) return false;
  if (const auto* boolean = value.As<bool>()) return *boolean;
  if (const auto* integer = value.As<int64_t>()) return *integer != 0;
  if (const auto* number = value.As<double>()) return *number != 0;
  if (const Text* text = value.text()) return !text->empty();
  if (const List* list = value.list()) return !list->items.empty();
  if (const Map* map = value.map()) return !map->entries.empty();
  return true;
}

absl::StatusOr<bool> Equal(const Value& a, const Value& b, Budget* budget) {
  RETURN_IF_ERROR(budget->Spend());
  if (const auto x = AsInteger(a), y = AsInteger(b); x && y) return *x == *y;
  if (const auto x = ExactNumber(a), y = ExactNumber(b); x && y) return *x == *y;
  if (a.data.index() != b.data.index()) return false;
  if (a.IsUndefined() || a.IsNone()) return true;
  if (const Text* text = a.text()) {
    RETURN_IF_ERROR(budget->Spend(std::min(text->size(), b.text()->size())));
    return text->bytes() == b.text()->bytes();
  }
  if (a.list() != nullptr && a.list() == b.list()) return true;
  if (a.list() != nullptr && a.list()->IsView() && b.list()->IsView()) {
    return Unsupported("comparing what keys(), values() and items() give");
  }
  if (a.list() != nullptr) return EqualLists(*a.list(), *b.list(), budget);
  if (a.map() != nullptr) return EqualMaps(*a.map(), *b.map(), budget);
  if (const auto* space = a.As<Namespace*>()) return *space == *b.As<Namespace*>();
  if (a.loop() != nullptr) return a.loop() == b.loop();
  if (const auto* macro = a.As<Macro>()) {
    const auto* other = b.As<Macro>();
    return macro->node == other->node && macro->scope_number == other->scope_number;
  }
  if (a.iterator() != nullptr) return a.iterator() == b.iterator();
  return a.As<Function>()->name == b.As<Function>()->name;
}

absl::StatusOr<std::shared_ptr<const List>> Items(const Value& value, Budget* budget) {
  if (const auto* list = value.As<std::shared_ptr<const List>>()) return *list;
  if (Iterator* iterator = value.iterator()) {
    if (iterator->state == Iterator::State::kPartlyRead) {
      return Unsupported("reading the rest of what a filter gives");
    }
    static const auto* const kNothing = new std::shared_ptr<const List>(new List());
    const bool unread = iterator->state == Iterator::State::kUnread;
    iterator->state = Iterator::State::kRead;
    return unread ? iterator->items : *kNothing;
  }
  if (value.loop() != nullptr) return Unsupported("the items of 'loop'");
  std::vector<Value> items;
  if (const Map* map = value.map()) {
    for (const auto& [key, ignored] : map->entries) {
      RETURN_IF_ERROR(budget->Spend(sizeof(Text) + key.size()));
      items.push_back(Value::OfText(Text(key)));
    }
  } else if (const Text* text = value.text()) {
    RETURN_IF_ERROR(budget->Spend(text->size() * sizeof(size_t)));
    const std::vector<size_t> offsets = CharacterOffsets(text->bytes());
    for (size_t i = 1; i < offsets.size(); ++i) {
      RETURN_IF_ERROR(budget->Spend(sizeof(Text)));
      items.push_back(Value::OfText(text->Slice(offsets[i - 1], offsets[i])));
    }
  } else if (!value.IsUndefined()) {
    return absl::InvalidArgumentError(absl::StrCat(KindName(value), " is not iterable"));
  }
  ASSIGN_OR_RETURN(const Value list, MakeList(std::move(items), budget));
  return std::get<std::shared_ptr<const List>>(list.data);
}

void StopReading(const Value& value) {
  if (Iterator* iterator = value.iterator()) iterator->state = Iterator::State::kPartlyRead;
}

std::optional<int64_t> AsInteger(const Value& value) {
  if (const auto* integer = value.As<int64_t>()) return *integer;
  if (const auto* boolean = value.As<bool>()) return *boolean ? 1 : 0;
  return std::nullopt;
}

std::optional<long double> ExactNumber(const Value& value) {
  if (const auto* number = value.As<double>()) return *number;
  if (const auto integer = AsInteger(value)) return static_cast<long double>(*integer);
  return std::nullopt;
}

std::optional<double> AsNumber(const Value& value) {
  if (const auto* number = value.As<double>()) return *number;
  if (const auto integer = AsInteger(value)) return static_cast<double>(*integer);
  return std::nullopt;
}

}  // namespace mozgach::jinja
