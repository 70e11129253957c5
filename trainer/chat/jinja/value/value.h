// A Value is a value in a template. It has one of the types that Jinja templates see in Python.
//
// Lists and mappings are immutable, as in transformers' sandbox, and nested at most kMaxNesting
// deep, so that walking a value cannot overflow the stack. Only namespaces are mutable; the
// interpreter owns them, so that a namespace that contains itself does not leak. An iterator
// remembers that it was read.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/status.h"
#include "nlohmann/json_fwd.hpp"
#include "trainer/chat/jinja/value/budget.h"
#include "trainer/chat/jinja/value/text.h"

namespace mozgach::jinja {

constexpr int kMaxNesting = 100;

struct Value;
struct List;
struct Map;
struct Namespace;
struct MacroStatement;

// A name or attribute that does not exist. `why` is the error text if it is used.
struct Undefined {
  std::shared_ptr<const std::string> why;
};
struct None {
  bool operator==(const None&) const { return true; }
};
// A built-in function: range, namespace, …
struct Function {
  std::string_view name;
};
// The variable `loop` inside a for.
struct Loop {
  std::shared_ptr<const List> items;
  size_t index = 0;
};
// The result of a filter such as `map` or `select`. It can be read once.
struct Iterator {
  enum class State { kUnread, kRead, kPartlyRead };

  std::shared_ptr<const List> items;
  State state = State::kUnread;
};
// A macro and the scope of its definition, which its body sees.
struct Macro {
  const MacroStatement* node;
  size_t scope;
  int64_t scope_number;  // distinguishes scopes that reuse one index
};

struct Value {
  std::variant<Undefined, None, bool, int64_t, double, std::shared_ptr<const Text>,
               std::shared_ptr<const List>, std::shared_ptr<const Map>, Namespace*,
               std::shared_ptr<const Loop>, Macro, Function, std::shared_ptr<Iterator>>
      data;

  static Value OfText(Text text) { return {std::make_shared<const Text>(std::move(text))}; }
  static Value OfInteger(size_t number) { return {static_cast<int64_t>(number)}; }
  static Value Missing(std::string why) {
    return {Undefined{std::make_shared<const std::string>(std::move(why))}};
  }

  template <typename T>
  const T* As() const {
    return std::get_if<T>(&data);
  }
  bool IsUndefined() const { return As<Undefined>() != nullptr; }
  bool IsNone() const { return As<None>() != nullptr; }
  // Return null if the value has another type.
  const Text* text() const { return Pointee<Text>(); }
  const List* list() const { return Pointee<List>(); }
  const Map* map() const { return Pointee<Map>(); }
  const Loop* loop() const { return Pointee<Loop>(); }
  Iterator* iterator() const {
    const auto* pointer = As<std::shared_ptr<Iterator>>();
    return pointer == nullptr ? nullptr : pointer->get();
  }

 private:
  template <typename T>
  const T* Pointee() const {
    const auto* pointer = std::get_if<std::shared_ptr<const T>>(&data);
    return pointer == nullptr ? nullptr : pointer->get();
  }
};

// Python's sequence types. Values of different types are never equal, and only lists and tuples can
// be written as text.
enum class ListKind { kList, kTuple, kRange, kKeys, kValues, kPairs };

struct List {
  std::vector<Value> items;
  int depth = 1;
  ListKind kind = ListKind::kList;

  bool IsView() const { return kind >= ListKind::kKeys; }  // dict.keys(), …: not indexable
};

using Entry = std::pair<std::string, Value>;

// Keys are in insertion order.
struct Map {
  std::vector<Entry> entries;
  int depth = 1;

  const Value* Find(std::string_view key) const;
};

struct Namespace {
  std::vector<Entry> entries;

  void Set(const std::string& key, Value value);
  const Value* Find(std::string_view key) const;
};

// INVALID_ARGUMENT if `depth` is above kMaxNesting.
absl::Status CheckDepth(int depth);

// INVALID_ARGUMENT if nested too deeply. A later entry replaces an earlier one with the same key.
absl::StatusOr<Value> MakeList(std::vector<Value> items, Budget* budget,
                               ListKind kind = ListKind::kList);
absl::StatusOr<Value> MakeIterator(std::vector<Value> items, Budget* budget);
absl::StatusOr<Value> MakeMap(std::vector<Entry> entries, Budget* budget);

// INVALID_ARGUMENT if nested too deeply. `depth` is the depth of the value that contains `json`.
absl::StatusOr<Value> FromJson(const nlohmann::ordered_json& json, Budget* budget, int depth = 0);

// INVALID_ARGUMENT, with the reason, if the value is undefined.
absl::Status CheckDefined(const Value& value);

// INVALID_ARGUMENT if the value cannot be the key of a mapping.
absl::Status CheckHashable(const Value& value);

// Returns "string", "list", "mapping", …, for messages.
std::string KindName(const Value& value);

bool IsTrue(const Value& value);

// Python's ==.
absl::StatusOr<bool> Equal(const Value& a, const Value& b, Budget* budget);

// Returns the items of a for loop: items of a list, keys of a mapping, characters of a string, none
// for an undefined value. Reads an iterator to its end. INVALID_ARGUMENT for other types.
absl::StatusOr<std::shared_ptr<const List>> Items(const Value& value, Budget* budget);

// Records that not all items of an iterator were used: it cannot be read again.
void StopReading(const Value& value);

// AsInteger converts an integer or a bool, AsNumber also a float. Both return nullopt for other
// types.
std::optional<int64_t> AsInteger(const Value& value);
std::optional<double> AsNumber(const Value& value);
// Like AsNumber, and exact for every integer.
std::optional<long double> ExactNumber(const Value& value);

}  // namespace mozgach::jinja
