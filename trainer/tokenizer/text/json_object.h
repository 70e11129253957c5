// A JsonObject reads typed fields of one JSON object. Errors name the place in the file
// ("pre_tokenizer.pretokenizers[0].behavior"). A null field counts as absent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "nlohmann/json.hpp"

namespace mozgach {

class JsonObject {
 public:
  // `value` must outlive this. INVALID_ARGUMENT if it is not an object.
  static absl::StatusOr<JsonObject> From(const nlohmann::json& value, std::string where);

  // Returns null if the field is absent.
  const nlohmann::json* Find(const std::string& key) const;

  absl::StatusOr<std::string> String(const std::string& key) const;
  absl::StatusOr<std::optional<std::string>> OptionalString(const std::string& key) const;
  absl::StatusOr<int64_t> Integer(const std::string& key) const;
  absl::StatusOr<bool> Bool(const std::string& key, bool if_absent) const;

  // Returns the objects in a required list.
  absl::StatusOr<std::vector<JsonObject>> Objects(const std::string& key) const;
  absl::StatusOr<JsonObject> Object(const std::string& key) const;

  std::string Where(std::string_view key) const;
  const std::string& where() const { return where_; }

  // Returns INVALID_ARGUMENT "`where`.`key`: `message`".
  absl::Status Error(std::string_view key, std::string_view message) const;
  // Returns INVALID_ARGUMENT: the value of `key` is not supported.
  absl::Status Unsupported(std::string_view key, std::string_view value) const;

 private:
  JsonObject(const nlohmann::json& value, std::string where)
      : value_(&value), where_(std::move(where)) {}

  const nlohmann::json* value_;
  std::string where_;
};

}  // namespace mozgach
