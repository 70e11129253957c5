#include "scheduler/upkeep/restore.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/files.h"
#include "common/private_folder.h"
#include "failpoint/failpoint.h"
#include "registry/adapter_store.h"
#include "registry/migration.h"
#include "registry/query.h"
#include "scheduler/queries.h"
#include "scheduler/state/incarnation.h"
#include "scheduler/state/schema.h"
#include "scheduler/upkeep/backup_files.h"
#include "scheduler/upkeep/data_directory.h"
#include "scheduler/upkeep/database_copy.h"
#include "scheduler/upkeep/restoration.h"

namespace mozgach {
namespace fs = std::filesystem;
namespace sql = scheduler_sql;
namespace {

// Where the database of `from` lies, with what is known of it.
absl::StatusOr<fs::path> FindDatabase(const fs::path& from, BackupContents& backup) {
  std::error_code error;
  if (fs::is_regular_file(from, error)) {
    backup.database_only = true;
    return from;
  }
  ASSIGN_OR_RETURN(backup, ReadBackup(from));
  const fs::path database = from / kDatabaseName;
  ASSIGN_OR_RETURN(const std::string found, Sha256OfFile(database));
  if (found == backup.database_sha256) return database;
  return absl::DataLossError(absl::StrCat(database.string(),
                                          " is damaged: its SHA-256 is not the one in ",
                                          kBackupManifestName, "; take another backup"));
}

// OK where a restore loses nothing.
absl::Status CheckTarget(const fs::path& data, bool keep_files) {
  if (!Exists(data) || Exists(data / kRestoringName)) return absl::OkStatus();
  std::set<std::string> harmless = {"lock", "endpoints.json", kWriteProbeName};
  if (keep_files) harmless.insert({"registry", "blobs", "logs"});
  const std::string database = kDatabaseName;
  // What lies beside a database that is gone is of no use to anybody.
  if (IsDatabaseGone(data)) harmless.insert({database, database + "-wal", database + "-shm"});
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(data, error)) {
    const std::string name = entry.path().filename().string();
    if (harmless.count(name) > 0) continue;
    const bool files = name == "registry" || name == "blobs" || name == "logs";
    return absl::FailedPreconditionError(absl::StrCat(
        data.string(), " is not empty: it holds ", name, "; ",
        files ? "--keep-files leaves what lies there and restores the rest beside it"
        : name == database
            ? "where it is damaged or of no use, move it away with what is named like it, and give "
              "--keep-files"
            : "name another folder, or move what is there away: nothing is overwritten"));
  }
  if (error) return SystemError(error.value(), absl::StrCat("list ", data.string()));
  return absl::OkStatus();
}

absl::Status RestoreDatabase(Database& source, const fs::path& target, WallTime now,
                             RestoreReport& report) {
  for (const char* rest : {"", "-wal", "-shm", "-journal"}) {
    RETURN_IF_ERROR(RemoveAll(target.string() + rest));
  }
  RETURN_IF_ERROR(CopyDatabase(source, target));
  ASSIGN_OR_RETURN(const auto database, Database::Open(target.string()));
  RETURN_IF_ERROR(Migrate(*database, Schema()));
  {
    Query leased(*database, sql::kLeasedJobs);
    report.requeued = leased.Next() ? leased.Int(0) : 0;
    RETURN_IF_ERROR(leased.status());
  }
  RETURN_IF_ERROR(Restore(*database, now));
  ASSIGN_OR_RETURN(const uint64_t incarnation, Incarnation(*database));
  report.incarnation = static_cast<int64_t>(incarnation);
  return database->Sync();
}

}  // namespace

absl::StatusOr<RestoreReport> RestoreBackup(const RestoreOptions& options, WallTime now) {
  RestoreReport report;
  ASSIGN_OR_RETURN(const fs::path from, FindDatabase(options.from, report.backup));
  ASSIGN_OR_RETURN(const auto source, Database::OpenToRead(from.string()));
  RETURN_IF_ERROR(CheckIntegrity(*source));
  ASSIGN_OR_RETURN(report.backup.schema, KnownSchemaOf(*source));
  RETURN_IF_ERROR(CheckTarget(options.data, options.keep_files));

  std::error_code error;
  const fs::path data = fs::absolute(options.data, error).lexically_normal();
  RETURN_IF_ERROR(MakePrivateDirectory(data));
  ASSIGN_OR_RETURN(const FileDescriptor lock, LockFile(data / "lock", data.string()));
  RETURN_IF_ERROR(CheckTarget(data, options.keep_files));
  const std::string note = absl::StrCat("from ", options.from.string(), "\n");
  RETURN_IF_ERROR(
      DURABLE("scheduler.restore.begin", WriteFileAtomically(data / kRestoringName, note)));
  RETURN_IF_ERROR(RestoreDatabase(*source, data / kDatabaseName, now, report));
  {
    ASSIGN_OR_RETURN(const auto restored, Database::Open((data / kDatabaseName).string()));
    if (!report.backup.database_only) {
      RETURN_IF_ERROR(
          CopyNamedFiles(*restored, options.from, data, options.by, report.files, report.missing));
    }
    // Links of aliases; numbers of jobs and versions that the backup does not know.
    AdapterStore adapters(*restored, data / "registry");
    const AttemptLogs logs(data / "logs", 0);
    RETURN_IF_ERROR(UseUpJobNumbers(*restored, adapters, logs));
    RETURN_IF_ERROR(SetForgottenLogsAside(*restored, logs));
    RETURN_IF_ERROR(adapters.Recover());
    RETURN_IF_ERROR(restored->Sync());
  }
  // Directories that a start makes, so that the doctor does not miss them before it.
  for (const char* name : {"blobs/partial", "registry/adapters", "registry/staging"}) {
    RETURN_IF_ERROR(MakeDirectories(data / name));
  }
  RETURN_IF_ERROR(RemoveAll(data / kRestoringName));
  RETURN_IF_ERROR(DURABLE("scheduler.restore.complete", SyncDirectory(data)));
  return report;
}

}  // namespace mozgach
