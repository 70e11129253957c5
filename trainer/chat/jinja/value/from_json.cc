#include <utility>

#include "nlohmann/json.hpp"
#include "trainer/chat/jinja/value/unsupported.h"
#include "trainer/chat/jinja/value/value.h"

namespace mozgach::jinja {
namespace {

absl::StatusOr<Value> FromJsonObject(const nlohmann::ordered_json& json, Budget* budget,
                                     int depth) {
  std::vector<Entry> entries;
  for (const auto& [key, item] : json.items()) {
    ASSIGN_OR_RETURN(Value value, FromJson(item, budget, depth + 1));
    entries.emplace_back(key, std::move(value));
  }
  return MakeMap(std::move(entries), budget);
}

absl::StatusOr<Value> FromJsonArray(const nlohmann::ordered_json& json, Budget* budget, int depth) {
  std::vector<Value> items;
  for (const auto& item : json) {
    ASSIGN_OR_RETURN(Value value, FromJson(item, budget, depth + 1));
    items.push_back(std::move(value));
  }
  return MakeList(std::move(items), budget);
}

}  // namespace

absl::StatusOr<Value> FromJson(const nlohmann::ordered_json& json, Budget* budget, int depth) {
  RETURN_IF_ERROR(CheckDepth(depth));
  using Type = nlohmann::ordered_json::value_t;
  switch (json.type()) {
    case Type::boolean:
      return Value{json.get<bool>()};
    case Type::number_integer:
      return Value{json.get<int64_t>()};
    case Type::number_unsigned:
      if (json.get<uint64_t>() > INT64_MAX) return Unsupported("an integer beyond 64 bits");
      return Value{json.get<int64_t>()};
    case Type::number_float:
      return Value{json.get<double>()};
    case Type::string:
      RETURN_IF_ERROR(budget->Spend(json.get_ref<const std::string&>().size()));
      return Value::OfText(Text(json.get<std::string>()));
    case Type::array:
      return FromJsonArray(json, budget, depth);
    case Type::object:
      return FromJsonObject(json, budget, depth);
    default:
      return Value{None{}};
  }
}

}  // namespace mozgach::jinja
