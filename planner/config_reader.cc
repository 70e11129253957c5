#include "planner/config_reader.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "common/utf8.h"

namespace mozgach {
namespace {

using nlohmann::json;

constexpr int64_t kLargestSize = int64_t{1} << 24;

std::string Shown(const json& value) { return Abbreviate(value.dump(), 80); }

}  // namespace

const json* ConfigReader::Find(const char* key) const {
  auto it = object_.find(key);
  return it == object_.end() || it->is_null() ? nullptr : &*it;
}

int64_t ConfigReader::Size(const char* key, int64_t fallback) {
  const json* value = Find(key);
  if (value == nullptr) {
    if (fallback == 0) Fail(key, "is missing");
    return std::max<int64_t>(fallback, 1);
  }
  if (!value->is_number_integer() || *value < 1 || *value > kLargestSize) {
    Fail(key,
         absl::StrCat("must be a whole number from 1 to ", kLargestSize, ", not ", Shown(*value)));
    return 1;
  }
  return value->get<int64_t>();
}

double ConfigReader::Positive(const char* key, double fallback) {
  const json* value = Find(key);
  if (value == nullptr) return fallback;
  if (!value->is_number() || !(value->get<double>() > 0) || !std::isfinite(value->get<double>())) {
    Fail(key, absl::StrCat("must be a number above 0, not ", Shown(*value)));
    return fallback;
  }
  return value->get<double>();
}

bool ConfigReader::Flag(const char* key, bool fallback) {
  const json* value = Find(key);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) Fail(key, absl::StrCat("must be true or false, not ", Shown(*value)));
  return value->is_boolean() && value->get<bool>();
}

std::string ConfigReader::Text(const char* key, const std::string& fallback) {
  const json* value = Find(key);
  if (value == nullptr) return fallback;
  if (!value->is_string()) Fail(key, absl::StrCat("must be text, not ", Shown(*value)));
  return value->is_string() ? value->get<std::string>() : fallback;
}

void ConfigReader::Fail(const std::string& key, const std::string& what) {
  if (status_.ok()) {
    status_ = absl::InvalidArgumentError(absl::StrCat("key '", key, "' ", what));
  }
}

void ConfigReader::Adopt(const std::string& key, const absl::Status& status) {
  if (!status.ok()) Fail(key, absl::StrCat(": ", status.message()));
}

}  // namespace mozgach
