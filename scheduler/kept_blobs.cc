#include "scheduler/kept_blobs.h"

#include "registry/query.h"
#include "scheduler/queries.h"

namespace mozgach {

absl::StatusOr<bool> IsBlobNeeded(Database& database, const std::string& sha256) {
  Query row(database, scheduler_sql::kBlobIsNeeded, sha256);
  const bool needed = row.Next() && row.Int(0) != 0;
  RETURN_IF_ERROR(row.status());
  return needed;
}

}  // namespace mozgach
