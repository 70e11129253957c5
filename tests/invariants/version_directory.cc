#include "tests/invariants/version_directory.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/files.h"
#include "nlohmann/json.hpp"

namespace mozgach {
namespace {

constexpr char kManifest[] = "manifest.json";

bool Read(const nlohmann::json& manifest, VersionDirectory& found) {
  try {
    found.domain = manifest.at("domain").get<std::string>();
    found.version = manifest.at("version").get<std::string>();
    found.job = manifest.at("job").get<int64_t>();
    found.attempt = manifest.at("attempt").get<int64_t>();
    found.spec_digest = manifest.at("spec_digest").get<std::string>();
    found.dataset_digest = manifest.at("dataset_digest").get<std::string>();
    for (const auto& [path, file] : manifest.at("files").items()) {
      found.files.push_back(
          {path, file.at("sha256").get<std::string>(), file.at("size").get<int64_t>()});
    }
  } catch (const nlohmann::json::exception&) {
    return false;
  }
  return true;
}

}  // namespace

std::vector<std::string> LookAt(const std::filesystem::path& directory, VersionDirectory* found) {
  const absl::StatusOr<std::string> text = ReadFile(directory / kManifest);
  if (!text.ok()) return {absl::StrCat(directory.string(), " can be seen without its manifest")};
  const auto manifest = nlohmann::json::parse(*text, nullptr, false);
  if (manifest.is_discarded() || !Read(manifest, *found)) {
    return {absl::StrCat(directory.string(), " has a manifest that cannot be read")};
  }
  std::vector<std::string> problems;
  std::set<std::string> unnamed;
  for (std::string& path : ListFiles(directory).value_or(std::vector<std::string>())) {
    unnamed.insert(std::move(path));
  }
  unnamed.erase(kManifest);
  for (const ManifestFile& file : found->files) {
    unnamed.erase(file.path);
    const absl::StatusOr<std::string> bytes = ReadFile(directory / file.path);
    if (bytes.ok() && static_cast<int64_t>(bytes->size()) == file.size &&
        Sha256Hex(*bytes) == file.sha256) {
      continue;
    }
    problems.push_back(absl::StrCat(directory.string(), ": ", file.path,
                                    bytes.ok() ? " is not as its manifest says" : " is missing"));
  }
  for (const std::string& path : unnamed) {
    problems.push_back(absl::StrCat(directory.string(), ": ", path, " is not in its manifest"));
  }
  found->files.push_back({kManifest, Sha256Hex(*text), static_cast<int64_t>(text->size())});
  std::sort(found->files.begin(), found->files.end());
  return problems;
}

}  // namespace mozgach
