#include "registry/manifest.h"

#include <map>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "nlohmann/json.hpp"
#include "registry/file_name.h"

namespace mozgach {
namespace {

// Two names that differ only in the case of letters are one file, or one directory, on some disks.
// `seen` maps folded paths to paths, of files and of the directories above them.
absl::Status CheckCase(const std::string& path, std::map<std::string, std::string>& seen) {
  for (size_t end = 0; end != std::string::npos;) {
    end = path.find('/', end + 1);
    const std::string part = path.substr(0, end);
    const auto [it, first] = seen.emplace(absl::AsciiStrToLower(part), part);
    if (!first && it->second != part) {
      return absl::InvalidArgumentError(absl::StrCat("file '", path, "' and '", it->second,
                                                     "' differ only in upper and lower ",
                                                     "case, which some disks do not tell apart"));
    }
  }
  return absl::OkStatus();
}

// True when a part before the last one of `path` is itself a file.
bool LiesBelowAFile(const std::string& path, const std::set<std::string>& files) {
  for (size_t slash = path.find('/'); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    if (files.count(path.substr(0, slash)) > 0) return true;
  }
  return false;
}

}  // namespace

absl::Status CheckVersionFiles(const std::vector<VersionFile>& files) {
  if (files.empty()) return absl::InvalidArgumentError("the result has no files");
  if (files.size() > kVersionFilesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("the result has ", files.size(), " files; at most ", kVersionFilesMax));
  }
  std::set<std::string> paths;
  std::map<std::string, std::string> seen = {{kManifestName, kManifestName},
                                             {kMetricsName, kMetricsName}};
  for (const VersionFile& file : files) {
    RETURN_IF_ERROR(CheckRelativePath(file.path));
    if (!IsSha256Hex(file.sha256)) {
      return absl::InvalidArgumentError(
          absl::StrCat("file '", file.path, "' has no SHA-256 digest"));
    }
    if (!paths.insert(file.path).second) {
      return absl::InvalidArgumentError(absl::StrCat("file '", file.path, "' is there twice"));
    }
    RETURN_IF_ERROR(CheckCase(file.path, seen));
  }
  paths.insert({kManifestName, kMetricsName});
  for (const std::string& path : paths) {
    if (LiesBelowAFile(path, paths)) {
      return absl::InvalidArgumentError(absl::StrCat("file '", path, "' lies below another file"));
    }
  }
  return absl::OkStatus();
}

std::string ManifestJson(const Version& version) {
  nlohmann::json files = nlohmann::json::object();
  for (const VersionFile& file : version.files) {
    files[file.path] = {{"sha256", file.sha256}, {"size", file.size}};
  }
  const nlohmann::json manifest = {
      {"domain", version.domain},
      {"version", VersionName(version.number)},
      {"job", version.job},
      {"attempt", version.attempt},
      {"base", version.base},
      {"base_digest", version.base_digest},
      {"spec_digest", version.spec_digest},
      {"dataset_digest", version.dataset_digest},
      {"code_version", version.code_version},
      {"published_at", FormatTime(version.published_at)},
      {"files", files},
  };
  return manifest.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace mozgach
