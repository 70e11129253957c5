#include "trainer/tokenizer/text/json_object.h"

#include "absl/strings/str_cat.h"

namespace mozgach {

using nlohmann::json;

absl::StatusOr<JsonObject> JsonObject::From(const json& value, std::string where) {
  if (!value.is_object()) {
    return absl::InvalidArgumentError(absl::StrCat(
        where, where.empty() ? "" : ": ", "expected an object, found ", value.type_name()));
  }
  return JsonObject(value, std::move(where));
}

std::string JsonObject::Where(std::string_view key) const {
  return where_.empty() ? std::string(key) : absl::StrCat(where_, ".", std::string(key));
}

absl::Status JsonObject::Error(std::string_view key, std::string_view message) const {
  return absl::InvalidArgumentError(absl::StrCat(Where(key), ": ", std::string(message)));
}

absl::Status JsonObject::Unsupported(std::string_view key, std::string_view value) const {
  return Error(key, absl::StrCat("'", std::string(value), "' is not supported"));
}

const json* JsonObject::Find(const std::string& key) const {
  const auto found = value_->find(key);
  return found == value_->end() || found->is_null() ? nullptr : &*found;
}

absl::StatusOr<std::optional<std::string>> JsonObject::OptionalString(
    const std::string& key) const {
  const json* value = Find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) {
    return Error(key, absl::StrCat("expected a string, found ", value->type_name()));
  }
  return value->get<std::string>();
}

absl::StatusOr<std::string> JsonObject::String(const std::string& key) const {
  ASSIGN_OR_RETURN(std::optional<std::string> value, OptionalString(key));
  if (!value.has_value()) return Error(key, "is missing");
  return *std::move(value);
}

absl::StatusOr<int64_t> JsonObject::Integer(const std::string& key) const {
  const json* value = Find(key);
  if (value == nullptr) return Error(key, "is missing");
  if (!value->is_number_integer()) {
    return Error(key, absl::StrCat("expected an integer, found ", value->type_name()));
  }
  if (value->is_number_unsigned() && value->get<uint64_t>() > INT64_MAX) {
    return Error(key, "is too large");
  }
  return value->get<int64_t>();
}

absl::StatusOr<bool> JsonObject::Bool(const std::string& key, bool if_absent) const {
  const json* value = Find(key);
  if (value == nullptr) return if_absent;
  if (!value->is_boolean()) {
    return Error(key, absl::StrCat("expected true or false, found ", value->type_name()));
  }
  return value->get<bool>();
}

absl::StatusOr<std::vector<JsonObject>> JsonObject::Objects(const std::string& key) const {
  const json* list = Find(key);
  if (list == nullptr || !list->is_array()) return Error(key, "expected a list");
  std::vector<JsonObject> objects;
  for (size_t i = 0; i < list->size(); ++i) {
    ASSIGN_OR_RETURN(JsonObject object, From((*list)[i], absl::StrCat(Where(key), "[", i, "]")));
    objects.push_back(std::move(object));
  }
  return objects;
}

absl::StatusOr<JsonObject> JsonObject::Object(const std::string& key) const {
  const json* value = Find(key);
  if (value == nullptr) return Error(key, "is missing");
  return From(*value, Where(key));
}

}  // namespace mozgach
