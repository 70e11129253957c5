#include "scheduler/upkeep/backup_files.h"

#include <sys/stat.h>

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/files.h"
#include "failpoint/failpoint.h"
#include "registry/file_name.h"
#include "registry/query.h"
#include "registry/version.h"
#include "scheduler/queries.h"

namespace mozgach {
namespace fs = std::filesystem;
namespace sql = scheduler_sql;
namespace {

struct NamedFile {
  fs::path path;  // relative
  int64_t size = 0;
  std::string of;  // what needs it
};

absl::StatusOr<std::vector<NamedFile>> FilesOfVersions(Database& database) {
  std::vector<NamedFile> files;
  Query rows(database, sql::kFilesOfPublishedVersions);
  while (rows.Next()) {
    const std::string domain = rows.Text(0);
    const std::string path = rows.Text(2);
    // Rows are not trusted with paths: the database may be anybody's.
    RETURN_IF_ERROR(CheckRelativePath(domain));
    RETURN_IF_ERROR(CheckRelativePath(path));
    const std::string version = VersionName(rows.Int(1));
    files.push_back({fs::path("registry") / "adapters" / domain / version / path, rows.Int(3),
                     absl::StrCat(domain, " ", version)});
  }
  RETURN_IF_ERROR(rows.status());
  return files;
}

absl::StatusOr<std::vector<NamedFile>> NeededBlobs(Database& database) {
  std::vector<NamedFile> files;
  std::set<std::string> named;
  Query rows(database, sql::kBlobsWorthKeeping);
  while (rows.Next()) {
    const std::string sha256 = rows.Text(0);
    if (!IsSha256Hex(sha256) || !named.insert(sha256).second) continue;
    files.push_back({fs::path("blobs") / sha256.substr(0, 2) / sha256, rows.Int(1), rows.Text(2)});
  }
  RETURN_IF_ERROR(rows.status());
  return files;
}

// -1 if the file does not exist.
int64_t SizeOf(const fs::path& path) {
  struct stat info;
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) ? info.st_size : -1;
}

absl::Status Copy(const std::vector<NamedFile>& files, const fs::path& from, const fs::path& to,
                  CopyBy by, CopiedFiles& copied, std::vector<std::string>& missing) {
  std::set<fs::path> directories;
  for (const NamedFile& file : files) {
    const int64_t size = SizeOf(from / file.path);
    if (size != file.size) {
      missing.push_back(absl::StrCat((from / file.path).string(),
                                     size < 0 ? " is missing" : " is not of its size", ", of ",
                                     file.of));
      if (size < 0) continue;
    }
    RETURN_IF_ERROR(CopyFile(from / file.path, to / file.path, by, copied));
    directories.insert((to / file.path).parent_path());
  }
  for (const fs::path& directory : directories) {
    RETURN_IF_ERROR(DURABLE("scheduler.backup.sync_names", SyncDirectory(directory)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CopyNamedFiles(Database& database, const fs::path& from, const fs::path& to, CopyBy by,
                            CopiedFiles& copied, std::vector<std::string>& missing) {
  ASSIGN_OR_RETURN(const std::vector<NamedFile> versions, FilesOfVersions(database));
  RETURN_IF_ERROR(Copy(versions, from, to, by, copied, missing));
  ASSIGN_OR_RETURN(const std::vector<NamedFile> blobs, NeededBlobs(database));
  return Copy(blobs, from, to, by, copied, missing);
}

}  // namespace mozgach
