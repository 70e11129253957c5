#include "scheduler/jobs/changed_keys.h"

#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/domain/domain_spec.h"
#include "common/json_text.h"
#include "nlohmann/json.hpp"

namespace mozgach {
namespace {

using Values = std::map<std::string, nlohmann::json>;

void Collect(const nlohmann::json& json, const std::string& prefix, Values& values) {
  for (const auto& [key, value] : json.items()) {
    const std::string name = prefix.empty() ? key : absl::StrCat(prefix, ".", key);
    if (value.is_object() && !value.empty()) {
      Collect(value, name, values);
    } else if (!value.is_null()) {
      values.emplace(name, value);
    }
  }
}

// With the defaults of this release for keys that an earlier one did not write.
Values ValuesOf(const std::string& text) {
  Values values;
  const absl::StatusOr<nlohmann::json> json = ParseJson(text);
  if (!json.ok() || !json->is_object()) return values;
  const absl::StatusOr<DomainSpec> spec = DomainSpecFromJson(*json);
  Collect(spec.ok() ? ToJson(*spec) : *json, "", values);
  return values;
}

}  // namespace

std::vector<std::string> ChangedKeys(const std::string& before_json,
                                     const std::string& after_json) {
  const Values before = ValuesOf(before_json), after = ValuesOf(after_json);
  std::set<std::string> changed;
  for (const auto& [key, value] : before) {
    const auto found = after.find(key);
    if (found == after.end() || found->second != value) changed.insert(key);
  }
  for (const auto& [key, value] : after) {
    if (before.count(key) == 0) changed.insert(key);
  }
  return {changed.begin(), changed.end()};
}

}  // namespace mozgach
