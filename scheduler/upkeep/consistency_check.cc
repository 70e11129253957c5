#include "scheduler/upkeep/consistency_check.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/private_folder.h"
#include "common/size_text.h"
#include "scheduler/placement/base_dispatch.h"
#include "scheduler/state/schema.h"
#include "scheduler/upkeep/backup.h"
#include "scheduler/upkeep/data_directory.h"
#include "scheduler/upkeep/database_copy.h"
#include "scheduler/upkeep/restore.h"

namespace mozgach {
namespace fs = std::filesystem;
namespace {

constexpr uint64_t kFreeBytesMin = UINT64_C(1) << 30;
constexpr double kFreeShareMin = 0.02;
constexpr double kFreeShareOfSmallMin =
    0.1;  // for small disks, of which kFreeBytesMin is a large part
constexpr int64_t kWalBytesMax = INT64_C(1) << 30;

void AddProblem(ConsistencyCheck& check, std::string where, std::string what, std::string advice) {
  check.findings.push_back(
      {Finding::Weight::kProblem, std::move(where), std::move(what), std::move(advice)});
}

void AddNote(ConsistencyCheck& check, std::string where, std::string what, std::string advice) {
  check.findings.push_back(
      {Finding::Weight::kNote, std::move(where), std::move(what), std::move(advice)});
}

std::string Restored(const fs::path& data) {
  return absl::StrCat("stop the scheduler, move ", data.string(),
                      " away, and make it again from a backup: mozgach-scheduler restore --from "
                      "BACKUP --data ",
                      data.string());
}

// The database as today's program knows it; null, with a finding, where nothing can be read of it.
std::unique_ptr<Database> OpenDatabase(const fs::path& data, ConsistencyCheck& check) {
  const std::string path = (data / kDatabaseName).string();
  if (!CheckDatabaseNotLost(data).ok()) {
    AddProblem(
        check, path, "is gone or empty, and versions or logs of its jobs are there",
        absl::StrCat("mozgach-scheduler restore --keep-files --from BACKUP --data ", data.string(),
                     "; to begin with an empty queue, move registry and logs away"));
    return nullptr;
  }
  auto database = Database::OpenToRead(path);
  if (!database.ok()) {
    AddProblem(check, path, std::string(database.status().message()),
               absl::IsNotFound(database.status())
                   ? "is --data the folder of a scheduler?  Where the database is lost: "
                     "mozgach-scheduler restore --keep-files --from BACKUP --data " +
                         data.string()
                   : Restored(data));
    return nullptr;
  }
  const absl::Status sound = CheckIntegrity(**database);
  if (!sound.ok()) {
    AddProblem(check, path, std::string(sound.message()), Restored(data));
    return nullptr;
  }
  const auto schema = KnownSchemaOf(**database);
  if (!schema.ok()) {
    AddProblem(check, path, std::string(schema.status().message()),
               "start the mozgach-scheduler that wrote it, or a newer one");
    return nullptr;
  }
  check.schema = *schema;
  if (*schema == Schema().back().number) return *std::move(database);
  AddNote(check, path, absl::StrCat("has schema ", *schema, " of ", Schema().back().number),
          "this program's next start upgrades it; make a backup before");
  auto upgraded = UpgradedCopy(**database);
  if (upgraded.ok()) return *std::move(upgraded);
  AddProblem(check, path, absl::StrCat("cannot be upgraded: ", upgraded.status().message()),
             "go on with the mozgach-scheduler that wrote it");
  return nullptr;
}

void Note(const absl::Status& status, const fs::path& where, ConsistencyCheck& check) {
  if (status.ok()) return;
  AddProblem(check, where.string(), absl::StrCat("cannot be checked: ", status.message()),
             "see to what the message names, then check again");
}

// Directories of a data directory, which every start makes.
void CheckDirectories(const fs::path& data, ConsistencyCheck& check) {
  for (const char* name :
       {"blobs", "blobs/partial", "registry", "registry/adapters", "registry/staging"}) {
    const fs::path path = data / name;
    if (Exists(path) || !Exists(path.parent_path())) continue;
    AddProblem(check, path.string(), "is missing",
               "the scheduler makes it again when it starts or runs; what was lost with it is "
               "named beside this");
  }
}

}  // namespace

bool ConsistencyCheck::HasProblems() const {
  return std::any_of(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.weight == Finding::Weight::kProblem;
  });
}

ConsistencyCheck CheckConsistency(const ConsistencyCheckOptions& options, WallTime now) {
  ConsistencyCheck check;
  if (!CheckNoBackup(options.data).ok()) {
    AddProblem(check, options.data.string(), "is a backup, no data directory of a scheduler",
               absl::StrCat("mozgach-scheduler restore --from ", options.data.string(),
                            " --data DIR makes one of it: check that"));
    return check;
  }
  CheckDisk(options, check);
  if (const auto database = OpenDatabase(options.data, check); database != nullptr) {
    CheckDirectories(options.data, check);
    Note(CheckRows(*database, now, check), options.data / kDatabaseName, check);
    Note(CheckRegistry(*database, options, check), options.data / "registry", check);
    Note(CheckBlobs(*database, options, now, check), options.data / "blobs", check);
  }
  std::stable_sort(check.findings.begin(), check.findings.end(),
                   [](const Finding& a, const Finding& b) { return a.weight > b.weight; });
  return check;
}

ConsistencyCheck CheckConsistencyTwice(const ConsistencyCheckOptions& options, const Clock& clock) {
  ConsistencyCheck first = CheckConsistency(options, clock.Now());
  if (first.findings.empty()) return first;
  ConsistencyCheck second = CheckConsistency(options, clock.Now());
  std::erase_if(second.findings, [&](const Finding& finding) {
    return std::find(first.findings.begin(), first.findings.end(), finding) == first.findings.end();
  });
  return second;
}

bool IsNearlyFull(uint64_t free, uint64_t total) {
  const double share = static_cast<double>(free) / static_cast<double>(total);
  return share < kFreeShareMin || (free < kFreeBytesMin && share < kFreeShareOfSmallMin);
}

void CheckDisk(const ConsistencyCheckOptions& options, ConsistencyCheck& check) {
  struct statvfs disk;
  if (::statvfs(options.data.c_str(), &disk) == 0) {
    const uint64_t unit = disk.f_frsize;
    const uint64_t free = disk.f_bavail * unit;
    const uint64_t total = disk.f_blocks * unit;
    if (IsNearlyFull(free, total)) {
      AddProblem(check, options.data.string(),
                 absl::StrCat("its disk is nearly full: ", FormatSize(free), " of ",
                              FormatSize(total), " are free"),
                 "make room, or `mozgachctl gc`; what needs room waits, nothing is lost");
    }
  }
  if (const mode_t mode = ModeForOthers(options.data); mode != 0) {
    AddNote(check, options.data.string(),
            absl::StrFormat("other users of this host may read it (mode %04o)", mode),
            absl::StrCat("`chmod 0700 ", options.data.string(),
                         "`, if no other user has to read adapters there"));
  }
  struct stat info;
  const fs::path wal = options.data / absl::StrCat(kDatabaseName, "-wal");
  if (::stat(wal.c_str(), &info) == 0 && info.st_size > kWalBytesMax) {
    AddProblem(check, wal.string(),
               absl::StrCat("has grown to ", FormatSize(static_cast<uint64_t>(info.st_size))),
               "something has read the database for long, a backup say; it shrinks once that ends");
  }
  if (const absl::Status cut = CheckNotRestoring(options.data); !cut.ok()) {
    AddProblem(check, (options.data / kRestoringName).string(), std::string(cut.message()),
               "restore again");
  }
  std::error_code error;
  for (fs::directory_iterator it(options.data, error), end; !error && it != end;
       it.increment(error)) {
    if (!absl::EndsWith(it->path().filename().string(), ".tmp")) continue;
    AddNote(check, it->path().string(), "is what a crash left of a file being written",
            "remove it");
  }
}

}  // namespace mozgach
