#include "registry/version_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/digest.h"
#include "common/files.h"
#include "common/json_text.h"
#include "common/log.h"
#include "common/open_beneath.h"
#include "failpoint/failpoint.h"
#include "nlohmann/json.hpp"
#include "registry/manifest.h"

namespace mozgach {
namespace fs = std::filesystem;
namespace {

constexpr uint64_t kManifestBytesMax = 16 << 20;

absl::Status CopyDurably(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::copy_file(from, to, error);
  if (error) return SystemError(error.value(), absl::StrCat("copy to ", to.string()));
  return SyncFile(to);
}

absl::Status Place(const fs::path& blob, const fs::path& to) {
  RETURN_IF_ERROR(MakeDirectories(to.parent_path()));
  if (::link(blob.c_str(), to.c_str()) == 0) return absl::OkStatus();
  if (errno != EXDEV && errno != EPERM && errno != EMLINK && errno != EOPNOTSUPP) {
    return SystemError(errno, absl::StrCat("link ", to.string()));
  }
  return CopyDurably(blob, to);
}

absl::StatusOr<VersionFile> WriteReadOnly(const fs::path& directory, const std::string& name,
                                          const std::string& text) {
  const fs::path path = directory / name;
  RETURN_IF_ERROR(DURABLE("registry.version.write_own_file", WriteFileAtomically(path, text)));
  if (::chmod(path.c_str(), 0444) != 0) {
    return SystemError(errno, absl::StrCat("chmod ", path.string()));
  }
  return VersionFile{name, Sha256Hex(text), text.size()};
}

// `directory` and every directory below it that holds one of `files`.
absl::Status SyncTree(const fs::path& directory, const std::vector<VersionFile>& files) {
  std::set<fs::path> directories = {directory};
  for (const VersionFile& file : files) {
    for (fs::path part = fs::path(file.path).parent_path(); !part.empty();
         part = part.parent_path()) {
      directories.insert(directory / part);
    }
  }
  for (const fs::path& path : directories) RETURN_IF_ERROR(SyncDirectory(path));
  return absl::OkStatus();
}

// What a person put in the place of a link is kept, under a name that no alias can have.
absl::Status MoveAside(const fs::path& path) {
  struct stat info;
  if (::lstat(path.c_str(), &info) != 0 || S_ISLNK(info.st_mode)) return absl::OkStatus();
  for (int number = 1;; ++number) {
    const fs::path aside =
        path.parent_path() / absl::StrCat(".", path.filename().string(), ".displaced-", number);
    if (::lstat(aside.c_str(), &info) == 0) continue;
    spdlog::warn("{} is not a link of this registry: it is moved to {}", path.string(),
                 aside.string());
    return DURABLE("registry.alias.displace", RenameDurably(path, aside));
  }
}

bool HasManifestOf(const Version& version, const fs::path& directory) {
  const auto manifest =
      std::find_if(version.files.begin(), version.files.end(),
                   [](const VersionFile& file) { return file.path == kManifestName; });
  const absl::StatusOr<std::string> digest = Sha256OfFile(directory / kManifestName);
  return manifest != version.files.end() && digest.ok() && *digest == manifest->sha256;
}

// Returns the job of the manifest in `directory`; 0 if it does not contain a job's number.
int64_t JobInManifest(const fs::path& directory) {
  const auto text = ReadFile(directory / kManifestName, kManifestBytesMax);
  const auto manifest = text.ok() ? ParseJson(*text) : text.status();
  if (!manifest.ok() || !manifest->is_object()) return 0;
  const auto job = manifest->find("job");
  return job != manifest->end() && job->is_number_integer() ? job->get<int64_t>() : 0;
}

// Job and attempt of "7-1"; nullopt if `name` is not the name of a staging directory.
std::optional<std::pair<int64_t, int64_t>> ParseStagingName(const std::string& name) {
  const std::vector<std::string> parts = absl::StrSplit(name, '-');
  int64_t job = 0, attempt = 0;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &job) ||
      !absl::SimpleAtoi(parts[1], &attempt)) {
    return std::nullopt;
  }
  return std::pair(job, attempt);
}

bool IsDirectory(const fs::path& path) {
  struct stat info;
  return ::lstat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

}  // namespace

absl::Status VersionFiles::Open() const {
  RETURN_IF_ERROR(SettleDirectory(root_ / "adapters"));
  return MakeDirectories(root_ / "staging");
}

fs::path VersionFiles::Directory(const std::string& domain, int64_t number) const {
  return root_ / "adapters" / domain / VersionName(number);
}

fs::path VersionFiles::StagingOf(int64_t job, int64_t attempt) const {
  return root_ / "staging" / absl::StrCat(job, "-", attempt);
}

absl::Status VersionFiles::Stage(Version& version, const BlobStore& blobs) const {
  const fs::path staging = StagingOf(version.job, version.attempt);
  RETURN_IF_ERROR(RemoveAll(staging));
  RETURN_IF_ERROR(MakeDirectories(staging));
  for (const VersionFile& file : version.files) {
    ASSIGN_OR_RETURN(const fs::path blob, blobs.Path(file.sha256));
    RETURN_IF_ERROR(DURABLE("registry.version.place_file", Place(blob, staging / file.path)));
  }
  ASSIGN_OR_RETURN(VersionFile metrics, WriteReadOnly(staging, kMetricsName, version.metrics_json));
  version.files.push_back(std::move(metrics));
  ASSIGN_OR_RETURN(VersionFile manifest,
                   WriteReadOnly(staging, kManifestName, ManifestJson(version)));
  version.files.push_back(std::move(manifest));
  version.size_bytes = 0;
  for (const VersionFile& file : version.files) version.size_bytes += file.size;
  return DURABLE("registry.version.sync_staging", SyncTree(staging, version.files));
}

absl::Status VersionFiles::Reveal(const Version& version) const {
  const fs::path target = Directory(version.domain, version.number);
  const fs::path staging = StagingOf(version.job, version.attempt);
  if (IsDirectory(target)) {
    RETURN_IF_ERROR(RemoveAll(staging));
    // The process that renamed it may have died, or failed, before the rename was on disk.
    if (HasManifestOf(version, target)) {
      return DURABLE("registry.version.settle", SyncDirectory(target.parent_path()));
    }
    // A database that was restored from a backup may think of another version.
    return absl::NotFoundError(absl::StrCat(target.string(), " is another version"));
  }
  if (!IsDirectory(staging)) {
    return absl::NotFoundError(
        absl::StrCat("neither ", target.string(), " nor ", staging.string(), " is there"));
  }
  RETURN_IF_ERROR(MakeDirectories(target.parent_path()));
  return DURABLE("registry.version.reveal", RenameDurably(staging, target));
}

absl::StatusOr<std::map<std::string, int64_t>> VersionFiles::HighestNumbers() const {
  std::map<std::string, int64_t> highest;
  std::error_code error;
  for (const auto& domain : fs::directory_iterator(root_ / "adapters", error)) {
    if (!domain.is_directory(error)) continue;
    int64_t& number = highest[domain.path().filename().string()];
    for (const auto& version : fs::directory_iterator(domain.path(), error)) {
      const std::string name = version.path().filename().string();
      if (name.empty() || name[0] != 'v' || version.is_symlink(error)) continue;
      number = std::max(number, ParseVersionName(name).value_or(0));
    }
  }
  if (error) return SystemError(error.value(), absl::StrCat("list ", root_.string(), "/adapters"));
  return highest;
}

absl::StatusOr<int64_t> VersionFiles::HighestJob(
    const std::function<absl::StatusOr<int64_t>(const std::string& domain)>& first_unknown) const {
  int64_t highest = 0;
  std::error_code error;
  for (const auto& staged : fs::directory_iterator(root_ / "staging", error)) {
    const auto named = ParseStagingName(staged.path().filename().string());
    if (named.has_value()) highest = std::max(highest, named->first);
  }
  if (!IsDirectory(root_ / "adapters")) return highest;
  ASSIGN_OR_RETURN(const auto last_seen, HighestNumbers());
  for (const auto& [domain, last] : last_seen) {
    ASSIGN_OR_RETURN(const int64_t first, first_unknown(domain));
    if (last < first) continue;
    for (const auto& entry : fs::directory_iterator(root_ / "adapters" / domain, error)) {
      const auto number = ParseVersionName(entry.path().filename().string());
      if (number.value_or(0) >= first) highest = std::max(highest, JobInManifest(entry.path()));
    }
  }
  return highest;
}

bool VersionFiles::IsVisible(const std::string& domain, int64_t number) const {
  return IsDirectory(Directory(domain, number));
}

absl::Status VersionFiles::Remove(const std::string& domain, int64_t number) const {
  const fs::path directory = Directory(domain, number);
  const fs::path away =
      root_ / "staging" / absl::StrCat("removed-", domain, "-", VersionName(number));
  RETURN_IF_ERROR(RemoveAll(away));
  if (!IsDirectory(directory)) return absl::OkStatus();
  RETURN_IF_ERROR(DURABLE("registry.version.take_away", RenameDurably(directory, away)));
  return RemoveAll(away);
}

absl::Status VersionFiles::PointAlias(const std::string& domain, const std::string& alias,
                                      int64_t number) const {
  const fs::path directory = root_ / "adapters" / domain;
  const fs::path link = directory / alias;
  const std::string target = VersionName(number);
  std::error_code error;
  if (fs::read_symlink(link, error) == target) return absl::OkStatus();
  // A dot comes before it, so that no alias or version can have that name.
  const fs::path fresh = directory / absl::StrCat(".", alias, ".new");
  ::unlink(fresh.c_str());
  if (::symlink(target.c_str(), fresh.c_str()) != 0) {
    return SystemError(errno, absl::StrCat("link ", fresh.string()));
  }
  RETURN_IF_ERROR(MoveAside(link));
  return DURABLE("registry.alias.link", RenameDurably(fresh, link));
}

std::vector<std::string> VersionFiles::VerifyAliases(const Version& version) const {
  std::vector<std::string> problems;
  const fs::path directory = root_ / "adapters" / version.domain;
  for (const std::string& alias : version.aliases) {
    std::error_code error;
    const fs::path target = fs::read_symlink(directory / alias, error);
    if (!error && target == VersionName(version.number)) continue;
    problems.push_back(absl::StrCat(
        "the alias ", alias, " points here, ", (directory / alias).string(),
        error ? " is not a link" : " does not: it points at ", error ? "" : target.string()));
  }
  return problems;
}

absl::Status VersionFiles::RemoveAlias(const std::string& domain, const std::string& alias) const {
  const fs::path link = root_ / "adapters" / domain / alias;
  RETURN_IF_ERROR(MoveAside(link));
  if (::unlink(link.c_str()) != 0 && errno != ENOENT) {
    return SystemError(errno, absl::StrCat("remove ", link.string()));
  }
  if (!IsDirectory(link.parent_path())) return absl::OkStatus();
  // No start takes away a link without a row: it must not come back.
  return DURABLE("registry.alias.remove", SyncDirectory(link.parent_path()));
}

absl::Status VersionFiles::Sweep(
    const std::function<bool(int64_t job, int64_t attempt)>& keep) const {
  std::error_code error;
  std::vector<fs::path> dead;
  for (const auto& entry : fs::directory_iterator(root_ / "staging", error)) {
    const auto named = ParseStagingName(entry.path().filename().string());
    if (!named.has_value() || !keep(named->first, named->second)) dead.push_back(entry.path());
  }
  if (error) return SystemError(error.value(), absl::StrCat("list ", root_.string(), "/staging"));
  for (const fs::path& path : dead) RETURN_IF_ERROR(RemoveAll(path));
  return absl::OkStatus();
}

absl::StatusOr<FileDescriptor> VersionFiles::OpenFile(const Version& version,
                                                      const std::string& path) const {
  return OpenBeneath(root_ / "adapters",
                     fs::path(version.domain) / VersionName(version.number) / path);
}

absl::StatusOr<std::vector<std::string>> VersionFiles::Verify(const Version& version) const {
  const fs::path directory = Directory(version.domain, version.number);
  std::vector<std::string> problems;
  if (!IsDirectory(directory)) return std::vector<std::string>{directory.string() + " is missing"};
  ASSIGN_OR_RETURN(const std::vector<std::string> listed, ListFiles(directory));
  std::set<std::string> found(listed.begin(), listed.end());
  for (const VersionFile& file : version.files) {
    if (found.erase(file.path) == 0) {
      const bool replaced = absl::IsFailedPrecondition(OpenFile(version, file.path).status());
      problems.push_back(absl::StrCat(
          file.path, replaced ? " is missing: a symbolic link is in its place" : " is missing"));
      continue;
    }
    const absl::StatusOr<FileDescriptor> opened = OpenFile(version, file.path);
    const absl::StatusOr<std::string> digest =
        opened.ok() ? Sha256OfFile(absl::StrCat("/dev/fd/", opened->get())) : opened.status();
    if (!digest.ok()) {
      problems.push_back(absl::StrCat(file.path, " cannot be read: ", digest.status().message()));
    } else if (*digest != file.sha256) {
      problems.push_back(
          absl::StrCat(file.path, " has changed: its SHA-256 is ", *digest, ", not ", file.sha256));
    }
  }
  for (const std::string& name : found) problems.push_back(name + " was not published");
  return problems;
}

}  // namespace mozgach
