#include "scheduler/upkeep/data_directory.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/files.h"
#include "registry/version_files.h"
#include "scheduler/jobs/attempt_log.h"
#include "scheduler/upkeep/backup.h"
#include "scheduler/upkeep/restore.h"

namespace mozgach {
namespace fs = std::filesystem;

bool Exists(const fs::path& path) {
  std::error_code error;
  return fs::exists(fs::symlink_status(path, error));
}

namespace {

absl::StatusOr<bool> HoldsFilesOfJobs(const fs::path& data) {
  ASSIGN_OR_RETURN(const std::vector<int64_t> logged, AttemptLogs(data / "logs", 0).Jobs());
  if (!logged.empty()) return true;
  if (!Exists(data / "registry/adapters")) return false;
  ASSIGN_OR_RETURN(const auto published, VersionFiles(data / "registry").HighestNumbers());
  for (const auto& [domain, number] : published) {
    if (number > 0) return true;
  }
  return false;
}

}  // namespace

absl::Status CheckNoBackup(const fs::path& data) {
  if (!Exists(data / kBackupManifestName)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(data.string(), " is a backup: it holds ", kBackupManifestName,
                   ", and a scheduler would spoil it; `mozgach-scheduler restore --from ",
                   data.string(), " --data DIR` makes a data directory of it"));
}

absl::Status CheckNotRestoring(const fs::path& data) {
  if (!Exists(data / kRestoringName)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("a restore into ", data.string(),
                   " did not come to its end; do it again: mozgach-scheduler restore --from BACKUP "
                   "--data ",
                   data.string()));
}

absl::Status CheckDatabaseNotLost(const fs::path& data) {
  if (!IsDatabaseGone(data)) return absl::OkStatus();
  ASSIGN_OR_RETURN(const bool lost, HoldsFilesOfJobs(data));
  if (!lost) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      (data / kDatabaseName).string(), " is ", Exists(data / kDatabaseName) ? "empty" : "gone",
      ", and versions or logs of its jobs are there; `mozgach-scheduler restore --from BACKUP "
      "--data ",
      data.string(),
      " --keep-files` brings it back; to begin with an empty queue, "
      "move ",
      (data / "registry").string(), " and ", (data / "logs").string(), " away"));
}

void WarnOfDatasetsWithoutDatabase(const fs::path& data) {
  std::error_code error;
  if (!IsDatabaseGone(data) || !fs::is_directory(data / "blobs", error)) return;
  const absl::StatusOr<std::vector<std::string>> files = ListFiles(data / "blobs");
  const bool datasets =
      files.ok() && std::any_of(files->begin(), files->end(), [](const auto& file) {
        return !absl::StartsWith(file, "partial/") &&
               IsSha256Hex(fs::path(file).filename().string());
      });
  if (!datasets) return;
  spdlog::warn(
      "{} is {}, but {} holds datasets: the scheduler begins with an empty queue, and removes "
      "them when they are older than blob_days_kept; if the database was lost, stop the "
      "scheduler and restore a backup: mozgach-scheduler restore --keep-files --from BACKUP "
      "--data {}",
      (data / kDatabaseName).string(), Exists(data / kDatabaseName) ? "empty" : "gone",
      (data / "blobs").string(), data.string());
}

std::string HowDatabaseComesBack(const fs::path& data) {
  return absl::StrCat("move ", (data / kDatabaseName).string(),
                      " and what is named like it away, then: mozgach-scheduler restore "
                      "--keep-files --from BACKUP --data ",
                      data.string());
}

bool IsDatabaseGone(const fs::path& data) {
  std::error_code error;
  const uintmax_t bytes = fs::file_size(data / kDatabaseName, error);
  return error ? error == std::errc::no_such_file_or_directory : bytes == 0;
}

}  // namespace mozgach
