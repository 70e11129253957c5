#include "scheduler/jobs/kept_blobs.h"

#include "registry/query.h"
#include "scheduler/queries.h"

namespace mozgach {

absl::StatusOr<bool> IsBlobNeeded(Database& database, const std::string& sha256) {
  Query row(database, scheduler_sql::kBlobIsNeeded, sha256);
  const bool needed = row.Next() && row.Int(0) != 0;
  RETURN_IF_ERROR(row.status());
  return needed;
}

absl::Status DropUnneededBlobs(Database& database, BlobStore& blobs,
                               const std::vector<std::string>& sha256s) {
  bool synced = false;
  for (const std::string& sha256 : sha256s) {
    if (IsBlobNeeded(database, sha256).value_or(true)) continue;
    if (!synced) RETURN_IF_ERROR(database.Sync());
    synced = true;
    RETURN_IF_ERROR(blobs.Remove(sha256));
  }
  return absl::OkStatus();
}

}  // namespace mozgach
