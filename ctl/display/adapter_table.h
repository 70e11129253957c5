// Prints adapter versions for people.
#pragma once

#include <string>
#include <vector>

#include "ctl/display/table.h"
#include "mozgach/v1/registry_service.pb.h"

namespace mozgach {

// Returns one row per version: scores of the bare base and with the adapter, size and path.
Table VersionTable(const std::vector<v1::Version>& versions);

// Returns all facts about one version, one per line.
std::vector<std::string> VersionLines(const v1::Version& version);

}  // namespace mozgach
