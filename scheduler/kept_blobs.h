// Which blobs stay: those that the view kept_blobs names (scheduler/sql), which whoever makes blobs for
// something new makes anew.
#pragma once

#include <string>

#include "common/status.h"
#include "registry/database.h"

namespace mozgach {

absl::StatusOr<bool> IsBlobNeeded(Database& database, const std::string& sha256);

}  // namespace mozgach
