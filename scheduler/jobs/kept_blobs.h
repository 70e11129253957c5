// The blobs that are kept. The SQL view `kept_blobs` (scheduler/sql) lists every referenced blob.
// Extend it when you add a new kind of reference.
#pragma once

#include <string>
#include <vector>

#include "common/status.h"
#include "registry/blob_store.h"
#include "registry/database.h"

namespace mozgach {

absl::StatusOr<bool> IsBlobNeeded(Database& database, const std::string& sha256);

// Removes those that no row names any more, once it is on disk that none does: a power cut must not
// bring back what needs them.  What cannot be removed is swept by age.
absl::Status DropUnneededBlobs(Database& database, BlobStore& blobs,
                               const std::vector<std::string>& sha256s);

}  // namespace mozgach
