// Any bytes as a domain file; one that is taken comes back from its JSON as it was.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "common/domain/domain_spec.h"
#include "nlohmann/json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto file = mozgach::ParseDomainFile(text, "domain.yaml", "/nowhere");
  if (!file.ok()) {
    if (file.status().message().empty()) abort();
    return 0;
  }
  const auto again = mozgach::DomainSpecFromJson(mozgach::ToJson(file->spec));
  if (!again.ok() || mozgach::SpecDigest(*again) != mozgach::SpecDigest(file->spec)) abort();
  return 0;
}
