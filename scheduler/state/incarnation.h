// The incarnation of a database: a number that grows with each restoration from a backup. A worker
// reports the incarnation that leased its attempts; reports of another incarnation are ignored.
#pragma once

#include <cstdint>

#include "common/status.h"
#include "registry/database.h"

namespace mozgach {

// 0 if the database was never restored. DATA_LOSS if the row is missing.
absl::StatusOr<uint64_t> Incarnation(Database& database);

}  // namespace mozgach
