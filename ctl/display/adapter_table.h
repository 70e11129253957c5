// Adapter versions as people see them.
#pragma once

#include <string>
#include <vector>

#include "ctl/display/table.h"
#include "mozgach/v1/registry_service.pb.h"

namespace mozgach {

// One row per version: scores of the bare base and with the adapter, and where it lies.
Table VersionTable(const std::vector<v1::Version>& versions);

// Everything that is known of one version, a line each.
std::vector<std::string> VersionLines(const v1::Version& version);

}  // namespace mozgach
