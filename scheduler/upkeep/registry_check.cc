// Versions, aliases and staging: rows against directories.
#include <sys/stat.h>

#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/files.h"
#include "registry/file_name.h"
#include "registry/query.h"
#include "registry/version_files.h"
#include "registry/version_rows.h"
#include "scheduler/queries.h"
#include "scheduler/upkeep/consistency_check.h"

namespace mozgach {
namespace fs = std::filesystem;
namespace sql = scheduler_sql;
namespace {

// A scheduler that has not started yet has made no folders.
bool IsUnexpected(const std::error_code& error) {
  return error && error != std::errc::no_such_file_or_directory;
}

class RegistryCheck {
 public:
  RegistryCheck(Database& database, const ConsistencyCheckOptions& options, ConsistencyCheck& check)
      : database_(database),
        rows_(database),
        root_(options.data / "registry"),
        files_(root_),
        deep_(options.deep),
        check_(check) {}

  absl::Status Run() {
    RETURN_IF_ERROR(Versions());
    RETURN_IF_ERROR(Aliases());
    RETURN_IF_ERROR(Directories());
    return Staging();
  }

 private:
  using Key = std::pair<std::string, int64_t>;  // domain, number

  absl::Status Versions() {
    ASSIGN_OR_RETURN(const std::vector<Version> versions, rows_.List(""));
    for (const Version& listed : versions) {
      known_.emplace(listed.domain, listed.number);
      ASSIGN_OR_RETURN(const Version version, rows_.Get(listed.domain, VersionName(listed.number)));
      LookAt(version);
      ++check_.versions;
    }
    ASSIGN_OR_RETURN(unfinished_, rows_.Unfinished());
    for (const Version& version : unfinished_) known_.emplace(version.domain, version.number);
    return absl::OkStatus();
  }

  void LookAt(const Version& version) {
    const fs::path directory = files_.Directory(version.domain, version.number);
    std::error_code error;
    const bool visible = fs::is_directory(fs::symlink_status(directory, error));
    const std::string again = absl::StrCat(
        "copy registry/adapters/", version.domain, "/", VersionName(version.number),
        " back from a backup; or ", visible ? "remove the directory and " : "", "submit ",
        version.domain, " again, which trains it again if it is the latest");
    if (!visible) {
      return Problem(directory, "is missing, though it was published", again);
    }
    const auto listed = ListFiles(directory);
    if (!listed.ok()) return Problem(directory, std::string(listed.status().message()), again);
    std::set<std::string> found(listed->begin(), listed->end());
    for (const VersionFile& file : version.files) {
      ++check_.files;
      if (found.erase(file.path) == 0) {
        Problem(directory / file.path, "is missing", again);
        continue;
      }
      const std::string wrong = WhatIsWrong(directory / file.path, file);
      if (!wrong.empty()) Problem(directory / file.path, wrong, again);
    }
    for (const std::string& name : found) {
      Problem(directory / name, "was not published with its version",
              "remove it: readers take what lies there for the version");
    }
  }

  std::string WhatIsWrong(const fs::path& path, const VersionFile& file) const {
    struct stat info;
    if (::stat(path.c_str(), &info) != 0) return "cannot be read";
    if (static_cast<uint64_t>(info.st_size) != file.size) {
      return absl::StrCat("has ", info.st_size, " bytes, not the ", file.size, " published");
    }
    if (!deep_) return "";
    const auto digest = Sha256OfFile(path);
    if (!digest.ok()) return std::string(digest.status().message());
    return *digest == file.sha256 ? "" : "its bytes have changed since it was published";
  }

  absl::Status Aliases() {
    ASSIGN_OR_RETURN(const std::vector<VersionRows::Alias> aliases, rows_.Aliases());
    for (const auto& [domain, alias, number] : aliases) {
      links_.emplace(domain, alias);
      const fs::path link = root_ / "adapters" / domain / alias;
      if (known_.count({domain, number}) == 0) {
        Problem(link,
                absl::StrCat("the alias points at ", VersionName(number), ", which does not exist"),
                alias == "latest"
                    ? absl::StrCat("submit ", domain, " again: its next version becomes the latest")
                    : absl::StrCat("mozgachctl adapters alias ", domain, " ", alias,
                                   " VERSION points it elsewhere"));
        continue;
      }
      if (!files_.IsVisible(domain, number)) continue;  // told of as missing
      std::error_code error;
      const fs::path target = fs::read_symlink(link, error);
      if (!error && target == VersionName(number)) continue;
      Problem(link,
              absl::StrCat(error ? "is not a link" : absl::StrCat("points at ", target.string()),
                           ", and its alias at ", VersionName(number)),
              "restart the scheduler, which sets links right; who reads it gets another version");
    }
    return absl::OkStatus();
  }

  absl::Status Directories() {
    std::error_code error;
    for (const auto& domain : fs::directory_iterator(root_ / "adapters", error)) {
      std::error_code in_domain;
      for (const auto& entry : fs::directory_iterator(domain.path(), in_domain)) {
        RETURN_IF_ERROR(LookAtEntry(domain.path().filename().string(), entry));
      }
    }
    if (IsUnexpected(error)) {
      return SystemError(error.value(), absl::StrCat("list ", root_.string(), "/adapters"));
    }
    return absl::OkStatus();
  }

  absl::Status LookAtEntry(const std::string& domain, const fs::directory_entry& entry) {
    const std::string name = entry.path().filename().string();
    std::error_code error;
    if (entry.is_symlink(error)) {
      const bool draft = name[0] == '.';
      if (draft || links_.count({domain, name}) > 0) return absl::OkStatus();
      const bool could_be_one = name != "latest" && CheckAliasName(name).ok();
      Problem(entry.path(), "is a link that no alias has",
              could_be_one ? absl::StrCat("remove it, or make it one: mozgachctl adapters alias ",
                                          domain, " ", name, " VERSION")
                           : "remove it: readers take what it points at for a version");
      return absl::OkStatus();
    }
    if (absl::StrContains(name, ".displaced-")) {
      Note(entry.path(), "was in the place of an alias's link, and was moved aside",
           "look at what it is, then remove it");
      return absl::OkStatus();
    }
    const std::optional<int64_t> number =
        name[0] == 'v' ? ParseVersionName(name) : std::optional<int64_t>();
    if (!number.has_value()) {
      Note(entry.path(), "is nothing of the registry's", "move it out of the registry");
      return absl::OkStatus();
    }
    if (known_.count({domain, *number}) > 0) return absl::OkStatus();
    Query removed(database_, sql::kRemovedVersion, domain, *number);
    const bool going = removed.Next();
    RETURN_IF_ERROR(removed.status());
    if (going) {
      Note(entry.path(), "is left of a version that has gone", "mozgachctl gc removes the rest");
      return absl::OkStatus();
    }
    Problem(entry.path(), "can be seen, and no row names it",
            "it is newer than the backup that was restored, or was put there by hand: keep it for "
            "who reads it by its path (its number is not given again), or remove it");
    return absl::OkStatus();
  }

  absl::Status Staging() {
    std::set<std::string> alive;
    for (const Version& version : unfinished_) {
      alive.insert(absl::StrCat(version.job, "-", version.attempt));
    }
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(root_ / "staging", error)) {
      if (alive.count(entry.path().filename().string()) > 0) continue;
      Note(entry.path(), "is left of a publication that was cut",
           "nothing: the scheduler's next start removes it");
    }
    if (IsUnexpected(error)) {
      return SystemError(error.value(), absl::StrCat("list ", root_.string(), "/staging"));
    }
    return absl::OkStatus();
  }

  void Problem(const fs::path& where, std::string what, std::string advice) {
    check_.findings.push_back(
        {Finding::Weight::kProblem, where.string(), std::move(what), std::move(advice)});
  }
  void Note(const fs::path& where, std::string what, std::string advice) {
    check_.findings.push_back(
        {Finding::Weight::kNote, where.string(), std::move(what), std::move(advice)});
  }

  Database& database_;
  VersionRows rows_;
  const fs::path root_;
  const VersionFiles files_;
  const bool deep_;
  ConsistencyCheck& check_;
  std::set<Key> known_;
  std::set<std::pair<std::string, std::string>> links_;  // domain, alias
  std::vector<Version> unfinished_;
};

}  // namespace

absl::Status CheckRegistry(Database& database, const ConsistencyCheckOptions& options,
                           ConsistencyCheck& check) {
  return RegistryCheck(database, options, check).Run();
}

}  // namespace mozgach
