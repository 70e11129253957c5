#include "scheduler/upkeep/backup.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/files.h"
#include "common/json_text.h"
#include "failpoint/failpoint.h"
#include "nlohmann/json.hpp"
#include "registry/query.h"
#include "scheduler/queries.h"
#include "scheduler/upkeep/backup_files.h"
#include "scheduler/upkeep/data_directory.h"
#include "scheduler/upkeep/database_copy.h"

namespace mozgach {
namespace fs = std::filesystem;
namespace sql = scheduler_sql;
namespace {

constexpr int kFormat = 1;
constexpr uint64_t kManifestBytesMax = 1 << 20;
// Copies of the database: what was removed while files were copied is not in the next one.
constexpr int kRounds = 3;

// A folder that goes again unless it becomes what it was made for.
class PartialBackup {
 public:
  explicit PartialBackup(const fs::path& target) : target_(target), path_(target) {
    path_ += ".partial";
  }
  ~PartialBackup() {
    if (made_) RemoveAll(path_).IgnoreError();
  }

  absl::Status Make() {
    RETURN_IF_ERROR(CheckTargetIsFree());
    RETURN_IF_ERROR(MakeDirectories(target_.parent_path()));
    if (::mkdir(path_.c_str(), 0700) != 0) {
      if (errno != EEXIST) return SystemError(errno, absl::StrCat("make ", path_.string()));
      return absl::FailedPreconditionError(
          absl::StrCat("another backup to ", target_.string(),
                       " is being made, or one was cut; where none is, remove ", path_.string()));
    }
    made_ = true;
    return CheckTargetIsFree();  // another may have come to its end before it was our turn
  }
  absl::Status Conclude() {
    RETURN_IF_ERROR(DURABLE("scheduler.backup.complete", RenameDurably(path_, target_)));
    made_ = false;
    return absl::OkStatus();
  }
  const fs::path& path() const { return path_; }

 private:
  absl::Status CheckTargetIsFree() const {
    std::error_code error;
    if (!fs::exists(fs::symlink_status(target_, error))) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat(target_.string(), " is there already; name a folder that is not"));
  }

  const fs::path target_;
  fs::path path_;
  bool made_ = false;
};

// A backup that a scheduler carries with it goes when its disk does; through links as well.
absl::Status CheckLiesElsewhere(const fs::path& output, const fs::path& data) {
  std::error_code error;
  const fs::path inner = fs::weakly_canonical(output, error);
  const fs::path outer = fs::canonical(data, error);
  if (error) return absl::OkStatus();  // a missing folder is reported elsewhere
  const auto [rest, _] = std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
  if (rest != outer.end()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--output ", output.string(), " lies in ", data.string(),
                   ", the data directory itself; name a folder outside of it"));
}

absl::Status Count(Database& database, BackupContents& contents) {
  Query row(database, sql::kContents);
  if (row.Next()) {
    contents.jobs = row.Int(0);
    contents.versions = row.Int(1);
    contents.domains = row.Int(2);
    contents.incarnation = row.Int(3);
  }
  return row.status();
}

absl::Status WriteManifest(const fs::path& folder, const BackupContents& contents) {
  const nlohmann::ordered_json manifest = {{"format", kFormat},
                                           {"made_at", contents.made_at},
                                           {"program", MOZGACH_VERSION},
                                           {"schema", contents.schema},
                                           {"incarnation", contents.incarnation},
                                           {"jobs", contents.jobs},
                                           {"domains", contents.domains},
                                           {"versions", contents.versions},
                                           {"database_only", contents.database_only},
                                           {"files", contents.files.files},
                                           {"bytes", contents.files.bytes},
                                           {"missing", contents.missing},
                                           {"database_sha256", contents.database_sha256}};
  const std::string text =
      manifest.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  return DURABLE("scheduler.backup.write_manifest",
                 WriteFileAtomically(folder / kBackupManifestName, text));
}

// One copy of the database, and the files that it names.
absl::Status CopyOnce(Database& source, const BackupOptions& options, const fs::path& folder,
                      BackupContents& contents) {
  const fs::path database = folder / kDatabaseName;
  RETURN_IF_ERROR(RemoveAll(database));
  RETURN_IF_ERROR(CopyDatabase(source, database));
  ASSIGN_OR_RETURN(const auto copy, Database::OpenToRead(database.string()));
  ASSIGN_OR_RETURN(contents.schema, KnownSchemaOf(*copy));
  // Kept as it is, so that the program that wrote it can go back to it; asked in today's words.
  ASSIGN_OR_RETURN(const auto upgraded, UpgradedCopy(*copy));
  RETURN_IF_ERROR(Count(*upgraded, contents));
  contents.missing.clear();
  if (options.database_only) return absl::OkStatus();
  return CopyNamedFiles(*upgraded, options.data, folder, options.by, contents.files,
                        contents.missing);
}

}  // namespace

absl::StatusOr<BackupContents> BackUp(const BackupOptions& options, WallTime now) {
  if (options.output.empty()) return absl::InvalidArgumentError("--output is empty: name a folder");
  std::error_code error;
  const fs::path output = fs::absolute(options.output, error).lexically_normal();
  PartialBackup partial(output.has_filename() ? output
                                              : output.parent_path());  // "folder/" is "folder"
  RETURN_IF_ERROR(CheckLiesElsewhere(output, options.data));
  RETURN_IF_ERROR(CheckDatabaseNotLost(options.data));
  const fs::path path = options.data / kDatabaseName;
  const auto source = Database::OpenToRead(path.string());
  if (absl::IsNotFound(source.status())) {
    return absl::NotFoundError(absl::StrCat(options.data.string(), " holds no ", kDatabaseName,
                                            "; --data names the folder of a mozgach-scheduler"));
  }
  RETURN_IF_ERROR(source.status());
  RETURN_IF_ERROR(KnownSchemaOf(**source).status());
  RETURN_IF_ERROR(partial.Make());
  BackupContents contents;
  contents.made_at = FormatTime(now);
  contents.database_only = options.database_only;
  for (int round = 1; round == 1 || (round <= kRounds && !contents.missing.empty()); ++round) {
    RETURN_IF_ERROR(CopyOnce(**source, options, partial.path(), contents));
  }
  ASSIGN_OR_RETURN(contents.database_sha256, Sha256OfFile(partial.path() / kDatabaseName));
  RETURN_IF_ERROR(WriteManifest(partial.path(), contents));
  RETURN_IF_ERROR(partial.Conclude());
  return contents;
}

absl::StatusOr<BackupContents> ReadBackup(const fs::path& backup) {
  const fs::path path = backup / kBackupManifestName;
  const auto text = ReadFile(path, kManifestBytesMax);
  if (!text.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(backup.string(),
                                                   " is not a backup: ", text.status().message(),
                                                   "; `mozgach-scheduler backup` makes them"));
  }
  const auto parsed = ParseJson(*text);
  if (!parsed.ok()) return Annotate(parsed.status(), path.string());
  BackupContents contents;
  try {
    const nlohmann::json& manifest = *parsed;
    if (const int64_t format = WholeNumber(manifest.at("format")); format != kFormat) {
      return absl::FailedPreconditionError(absl::StrCat(path.string(), " is of format ", format,
                                                        ", this program reads ", kFormat,
                                                        ": use a newer mozgach-scheduler"));
    }
    contents.made_at = manifest.at("made_at").get<std::string>();
    contents.schema = WholeNumber(manifest.at("schema"));
    contents.jobs = WholeNumber(manifest.at("jobs"));
    contents.versions = WholeNumber(manifest.at("versions"));
    contents.domains = WholeNumber(manifest.at("domains"));
    contents.database_only = manifest.at("database_only").get<bool>();
    contents.database_sha256 = manifest.at("database_sha256").get<std::string>();
    contents.missing = manifest.at("missing").get<std::vector<std::string>>();
  } catch (const nlohmann::json::exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat(path.string(), ": ", error.what(), "; it is not the manifest of a backup"));
  }
  return contents;
}

}  // namespace mozgach
