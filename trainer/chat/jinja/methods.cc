#include "trainer/chat/jinja/methods.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/utf8.h"
#include "trainer/chat/jinja/value/unsupported.h"

namespace mozgach::jinja {
namespace {

absl::StatusOr<Value> CallMapMethod(const Map& map, const std::string& name,
                                    const Arguments& arguments, Budget* budget) {
  if (name == "get") {
    ASSIGN_OR_RETURN(const std::vector<Value> values, BindPositional(arguments, 1, 2));
    RETURN_IF_ERROR(CheckHashable(values[0]));
    RETURN_IF_ERROR(budget->Spend(map.entries.size()));
    const Text* key = values[0].text();
    if (const Value* found = key == nullptr ? nullptr : map.Find(key->bytes())) return *found;
    return arguments.positional.size() < 2 ? Value{None{}} : values[1];
  }
  RETURN_IF_ERROR(BindPositional(arguments, 0, 0).status());
  const ListKind kind = name == "keys"     ? ListKind::kKeys
                        : name == "values" ? ListKind::kValues
                                           : ListKind::kPairs;
  std::vector<Value> items;
  for (const auto& [key, value] : map.entries) {
    RETURN_IF_ERROR(budget->Spend(sizeof(Text) + key.size()));
    const Value name_of_value = Value::OfText(Text(key));
    if (name == "keys") items.push_back(name_of_value);
    if (name == "values") items.push_back(value);
    if (name != "items") continue;
    ASSIGN_OR_RETURN(Value pair, MakeList({name_of_value, value}, budget, ListKind::kTuple));
    items.push_back(std::move(pair));
  }
  return MakeList(std::move(items), budget, kind);
}

// list.index(value) and list.count(value).
absl::StatusOr<Value> CallListMethod(const List& list, const std::string& name,
                                     const Arguments& arguments, Budget* budget) {
  ASSIGN_OR_RETURN(const std::vector<Value> values, BindPositional(arguments, 1, 1));
  size_t count = 0;
  for (size_t i = 0; i < list.items.size(); ++i) {
    ASSIGN_OR_RETURN(const bool equal, Equal(list.items[i], values[0], budget));
    if (equal && name == "index") return Value::OfInteger(i);
    if (equal) ++count;
  }
  if (name == "index") return absl::InvalidArgumentError("the value is not in the list");
  return Value::OfInteger(count);
}

}  // namespace

bool HasMethod(const Value& object, const std::string& name) {
  if (object.text() != nullptr) return StringMethods().count(name) > 0;
  if (const List* list = object.list()) {
    return !list->IsView() && (name == "index" || name == "count");
  }
  return object.map() != nullptr &&
         (name == "get" || name == "items" || name == "keys" || name == "values");
}

absl::StatusOr<Value> CallMethod(const Value& object, const std::string& name,
                                 const Arguments& arguments, Budget* budget) {
  if (!HasMethod(object, name)) {
    return Unsupported(
        absl::StrCat("the method '", Abbreviate(name, 40), "' of ", KindName(object)));
  }
  absl::StatusOr<Value> result;
  if (const Text* text = object.text()) {
    if (text->markup()) {
      return Unsupported(absl::StrCat("the method '", name, "' of a string that is marked 'safe'"));
    }
    // Most methods read the whole string and return one of the same length.
    RETURN_IF_ERROR(budget->Spend(text->size()));
    result = StringMethods().at(name)(*text, arguments, budget);
  } else if (const Map* map = object.map()) {
    result = CallMapMethod(*map, name, arguments, budget);
  } else {
    result = CallListMethod(*object.list(), name, arguments, budget);
  }
  if (!result.ok()) return Annotate(result.status(), absl::StrCat(name, "()"));
  return result;
}

}  // namespace mozgach::jinja
