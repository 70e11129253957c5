#include "scheduler/jobs/base_key.h"

#include "absl/strings/str_cat.h"

namespace mozgach {

std::string BaseOf(const std::string& base_key) { return base_key.substr(0, base_key.find('@')); }

std::string BaseKey(const std::string& base, const std::string& revision) {
  return revision.empty() ? base : absl::StrCat(base, "@", revision);
}

std::vector<std::string> OfferedKeys(const std::vector<v1::Base>& bases) {
  std::vector<std::string> keys;
  for (const v1::Base& base : bases) {
    if (!base.problem().empty()) continue;
    keys.push_back(base.name());
    for (const std::string& revision : base.revisions()) {
      keys.push_back(BaseKey(base.name(), revision));
    }
  }
  return keys;
}

}  // namespace mozgach
