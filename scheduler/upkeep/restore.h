// The way back from a backup (backup.h), into a data directory of which nothing is lost: one that
// is not there or empty, or one whose files stay and whose database is gone or has no bytes.
//
// While it is under way the directory holds a file `restoring`: no scheduler starts on it, and a
// restore that was cut is made again.  The database begins a new incarnation (restoration.h).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/clock.h"
#include "scheduler/upkeep/backup.h"

namespace mozgach {

inline constexpr char kRestoringName[] = "restoring";

struct RestoreOptions {
  std::filesystem::path from;  // a backup, or a database alone
  std::filesystem::path data;
  bool keep_files = false;  // `data` may hold registry/, blobs/ and logs/, but no mozgach.db
  CopyBy by = CopyBy::kLink;
};

struct RestoreReport {
  BackupContents backup;
  int64_t incarnation = 0;
  int64_t requeued = 0;  // jobs that were leased when the backup was made
  CopiedFiles files;
  std::vector<std::string> missing;  // as BackupContents::missing
};

// FAILED_PRECONDITION: `data` is in use or not empty, or the backup's schema is newer than this
// program: nothing was touched.  DATA_LOSS: the backup is damaged.
absl::StatusOr<RestoreReport> RestoreBackup(const RestoreOptions& options, WallTime now);

}  // namespace mozgach
