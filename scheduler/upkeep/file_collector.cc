#include "scheduler/upkeep/file_collector.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "failpoint/failpoint.h"
#include "registry/query.h"
#include "scheduler/jobs/kept_blobs.h"
#include "scheduler/queries.h"

namespace mozgach {
namespace fs = std::filesystem;
namespace sql = scheduler_sql;
namespace {

constexpr size_t kLogsInOneStep = 50;
constexpr size_t kBlobsInOneStep = 20;
constexpr char kTaken[] = ".gone-";  // what a log's folder is called while it goes
// Between its upload and the submit or report that names it a blob belongs to nobody.
constexpr std::chrono::hours kBlobsNeverBefore{1};

uint64_t BytesBelow(const fs::path& directory) {
  uint64_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator it(directory, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code gone;
    const uint64_t size = it->is_regular_file(gone) ? it->file_size(gone) : 0;
    if (!gone) bytes += size;
  }
  return bytes;
}

// Calls `act(item, database)` of each, some in every turn.
template <typename Item, typename Act>
absl::Status InTurns(const std::vector<Item>& items, size_t in_one, const Retention::Turn& turn,
                     std::stop_token stop, Act act) {
  for (size_t start = 0; start < items.size() && !stop.stop_requested(); start += in_one) {
    RETURN_IF_ERROR(turn([&](Database& database) -> absl::Status {
      for (size_t i = start; i < std::min(items.size(), start + in_one); ++i) {
        RETURN_IF_ERROR(act(items[i], database));
      }
      return absl::OkStatus();
    }));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status FileCollector::RemoveDirectories(const VersionFiles& versions,
                                              const Retention::Turn& turn) {
  if (only_look_) return absl::OkStatus();
  std::vector<std::pair<std::string, int64_t>> going;
  RETURN_IF_ERROR(turn([&](Database& database) -> absl::Status {
    Query rows(database, sql::kVersionsBeingRemoved);
    while (rows.Next()) going.emplace_back(rows.Text(0), rows.Int(1));
    return rows.status();
  }));
  for (const auto& version : going) {
    const auto& [domain, number] = version;
    RETURN_IF_ERROR(versions.Remove(domain, number));
    RETURN_IF_ERROR(turn([&version](Database& database) {
      return Run(database, sql::kNoteFilesGone, version.first, version.second);
    }));
  }
  return absl::OkStatus();
}

absl::Status FileCollector::RemoveLogs(const Retention::Turn& turn, std::stop_token stop) {
  std::vector<std::string> jobs;
  std::error_code error;
  for (fs::directory_iterator it(logs_, error), end; !error && it != end; it.increment(error)) {
    jobs.push_back(it->path().filename().string());
  }
  std::sort(jobs.begin(), jobs.end());
  RETURN_IF_ERROR(InTurns(
      jobs, kLogsInOneStep, turn, stop,
      [&](const std::string& job, Database& database) { return RemoveLogOf(database, job); }));
  return only_look_ ? absl::OkStatus() : SweepTakenLogs();
}

absl::Status FileCollector::RemoveLogOf(Database& database, const std::string& job) {
  int64_t number = 0;
  if (!absl::SimpleAtoi(job, &number)) return absl::OkStatus();
  const int64_t days = rules_.log_days_kept;
  // 0: those of every job that there is stay.
  const int64_t before = days == 0 ? INT64_MIN : ToMillis(now_ - std::chrono::hours(24 * days));
  {
    Query row(database, sql::kLogIsNeeded, number, before);
    const bool needed = row.Next() && row.Int(0) != 0;
    RETURN_IF_ERROR(row.status());
    if (needed) return absl::OkStatus();
  }
  const uint64_t bytes = BytesBelow(logs_ / job);
  if (!only_look_) {
    RETURN_IF_ERROR(database.Sync());
    RETURN_IF_ERROR(DURABLE("scheduler.old_log.take_away",
                            RenameDurably(logs_ / job, logs_ / absl::StrCat(kTaken, job))));
  }
  collection_.Add({.kind = "log",
                   .name = absl::StrCat("of job ", job),
                   .why = "its job was removed, or has been over for log_days_kept",
                   .bytes = bytes});
  return absl::OkStatus();
}

absl::Status FileCollector::SweepTakenLogs() const {
  std::vector<fs::path> taken;
  std::error_code error;
  for (fs::directory_iterator it(logs_, error), end; !error && it != end; it.increment(error)) {
    if (absl::StartsWith(it->path().filename().string(), kTaken)) taken.push_back(it->path());
  }
  for (const fs::path& path : taken) RETURN_IF_ERROR(RemoveAll(path));
  return absl::OkStatus();
}

WallTime UnneededBlobsGoBefore(int64_t days_kept, WallTime now) {
  return now - std::max(std::chrono::hours(24 * days_kept), kBlobsNeverBefore);
}

WallTime FileCollector::BlobsBefore() const {
  return UnneededBlobsGoBefore(rules_.blob_days_kept, now_);
}

absl::Status FileCollector::RemoveBlobs(BlobStore& blobs, const Retention::Turn& turn,
                                        std::stop_token stop) {
  ASSIGN_OR_RETURN(const std::vector<BlobStore::OldFile> old, blobs.Old(BlobsBefore()));
  return InTurns(old, kBlobsInOneStep, turn, stop,
                 [&](const BlobStore::OldFile& file, Database& database) {
                   return RemoveBlob(database, blobs, file);
                 });
}

absl::Status FileCollector::RemoveBlob(Database& database, BlobStore& blobs,
                                       const BlobStore::OldFile& file) {
  if (!file.sha256.empty()) {
    ASSIGN_OR_RETURN(const bool needed, IsBlobNeeded(database, file.sha256));
    if (needed) return absl::OkStatus();
  }
  if (!only_look_) {
    // What no longer needs it must not come back without it.
    RETURN_IF_ERROR(database.Sync());
    ASSIGN_OR_RETURN(const bool gone, blobs.RemoveOld(file, BlobsBefore()));
    if (!gone) return absl::OkStatus();
  }
  const bool blob = !file.sha256.empty();
  collection_.Add({.kind = blob ? "blob" : "upload",
                   .name = blob ? file.sha256 : file.path,
                   .why = blob ? "nothing needs it" : "nobody went on with it",
                   .bytes = file.bytes});
  return absl::OkStatus();
}

}  // namespace mozgach
