// A Backup is a folder that holds what a scheduler's data directory held at one moment:
//
//   backup.json                          what it is; a folder without it is not a backup
//   mozgach.db                           the database, checked, in one file
//   registry/adapters/<domain>/v0001/…   every version that the database calls published
//   blobs/ab/abcd…                       every blob that a job, a version or a base needs
//
// The database is copied first, in one moment, while the scheduler runs; then the files that this
// copy names, which never change.  What retention removes meanwhile is noticed, and the database is
// copied again.  Logs of attempts and links of aliases are left out (links are made from rows).
//
// restore.h is the way back.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "scheduler/upkeep/file_copy.h"

namespace mozgach {

inline constexpr char kBackupManifestName[] = "backup.json";
inline constexpr char kDatabaseName[] = "mozgach.db";

struct BackupOptions {
  std::filesystem::path data;    // data directory of a scheduler, which may run
  std::filesystem::path output;  // is made; must not be there
  bool database_only = false;
  CopyBy by = CopyBy::kLink;
};

struct BackupContents {
  int64_t schema = 0;
  int64_t jobs = 0;
  int64_t versions = 0;
  int64_t domains = 0;
  int64_t incarnation = 0;
  std::string made_at;          // RFC 3339
  std::string database_sha256;  // digest of mozgach.db
  bool database_only = false;
  CopiedFiles files;
  // Files that the database names and that were not there, one line each: the backup has what there
  // is.
  std::vector<std::string> missing;
};

// FAILED_PRECONDITION: `output` is there already, or the schema is newer than this program.
// DATA_LOSS: the database is damaged.  On any error nothing is left at `output`.
absl::StatusOr<BackupContents> BackUp(const BackupOptions& options, WallTime now);

// Reads backup.json. INVALID_ARGUMENT if `backup` is not a backup, or has another format.
absl::StatusOr<BackupContents> ReadBackup(const std::filesystem::path& backup);

}  // namespace mozgach
