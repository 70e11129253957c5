#include "ctl/local/base_config.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "common/base/base_files.h"
#include "common/base/base_format.h"
#include "common/domain/domain_spec.h"
#include "common/domain/spec_value.h"
#include "common/files.h"
#include "common/nearest_name.h"

namespace mozgach {
namespace {
namespace fs = std::filesystem;

constexpr uint64_t kRefLimitBytes = 4096;

// A directory with a config.json, or with something that only looks like a base: Load() says what.
bool HasConfig(const fs::path& directory) {
  std::error_code ignored;
  return fs::is_regular_file(directory / kBaseConfig, ignored) ||
         (fs::is_directory(directory, ignored) && !CheckBaseFormat(directory).ok());
}

// The snapshot of a model's folder in the hub's cache that has a config.json.
std::optional<fs::path> SnapshotOf(const fs::path& model) {
  const auto ref = ReadFile(model / "refs" / "main", kRefLimitBytes);
  if (ref.ok()) {
    const fs::path snapshot =
        model / "snapshots" / std::string(absl::StripAsciiWhitespace(absl::string_view(*ref)));
    if (HasConfig(snapshot)) return snapshot;
  }
  std::error_code ignored;
  std::vector<fs::path> snapshots;
  for (const auto& entry : fs::directory_iterator(model / "snapshots", ignored)) {
    if (HasConfig(entry.path())) snapshots.push_back(entry.path());
  }
  if (snapshots.empty()) return std::nullopt;
  return *std::min_element(snapshots.begin(), snapshots.end());
}

std::optional<fs::path> Find(const std::string& base, const fs::path& folder) {
  if (HasConfig(folder / base)) return folder / base;
  return SnapshotOf(folder / absl::StrCat("models--", absl::StrReplaceAll(base, {{"/", "--"}})));
}

// The bases below `folders`, as domain files name them.
std::vector<std::string> BasesBelow(const std::vector<fs::path>& folders) {
  constexpr size_t kBasesMax = 10000;
  constexpr char kCached[] = "models--";
  std::vector<std::string> bases;
  std::error_code ignored;
  for (const fs::path& folder : folders) {
    for (const auto& owner : fs::directory_iterator(folder, ignored)) {
      const std::string name = owner.path().filename().string();
      if (name.rfind(kCached, 0) == 0) {
        bases.push_back(absl::StrReplaceAll(name.substr(sizeof(kCached) - 1), {{"--", "/"}}));
        continue;
      }
      if (HasConfig(owner.path())) bases.push_back(name);
      if (!owner.is_directory(ignored)) continue;
      for (const auto& base : fs::directory_iterator(owner.path(), ignored)) {
        if (bases.size() >= kBasesMax) return bases;
        if (HasConfig(base.path()))
          bases.push_back(absl::StrCat(name, "/", base.path().filename().string()));
      }
    }
  }
  return bases;
}

absl::StatusOr<ModelConfig> Load(const fs::path& directory) {
  RETURN_IF_ERROR(CheckBaseFormat(directory));
  auto config = ModelConfig::Load(directory);
  if (config.ok() || config.status().code() == absl::StatusCode::kNotFound) return config;
  return absl::InvalidArgumentError(config.status().message());
}

}  // namespace

absl::StatusOr<ModelConfig> ReadBaseConfig(const std::string& base,
                                           const std::vector<fs::path>& folders) {
  for (const fs::path& folder : folders) {
    if (const auto directory = Find(base, folder)) return Load(*directory);
  }
  std::vector<std::string> looked;
  for (const fs::path& folder : folders) looked.push_back(folder.string());
  const std::string near = NearestBase(base, BasesBelow(folders));
  return absl::NotFoundError(absl::StrCat(
      "base ", base, ": no config.json below ",
      looked.empty() ? "any folder" : absl::StrJoin(looked, ", "),
      near.empty() ? "" : absl::StrCat("; did you mean ", near, "?"),
      "; say --bases DIR where DIR/", base, "/config.json lies (that file is enough)"));
}

absl::StatusOr<ModelConfig> ReadBaseConfigAt(const std::string& word,
                                             const std::vector<fs::path>& folders) {
  const fs::path path(word);
  if (HasConfig(path)) return Load(path);
  std::error_code ignored;
  if (fs::is_regular_file(path, ignored)) {
    ASSIGN_OR_RETURN(const std::string text, ReadFile(path, uint64_t{16} << 20));
    auto config = ModelConfig::Parse(text);
    if (!config.ok()) return Annotate(config.status(), word);
    return config;
  }
  if (fs::is_directory(path, ignored)) {
    if (const auto snapshot = SnapshotOf(path)) return Load(*snapshot);
    return absl::NotFoundError(absl::StrCat(word, ": holds no config.json"));
  }
  if (!IsBaseName(word)) {
    return absl::InvalidArgumentError(absl::StrCat(
        Quoted(word), " is neither a base's directory, its config.json, nor a name as on the hub"));
  }
  return ReadBaseConfig(word, folders);
}

std::vector<fs::path> BaseFolders(const std::vector<std::string>& given,
                                  const std::vector<std::string>& domain_files) {
  std::vector<fs::path> folders(given.begin(), given.end());
  if (!folders.empty()) return folders;
  const auto add = [&](const fs::path& folder) {
    std::error_code ignored;
    if (!fs::is_directory(folder, ignored)) return;
    if (std::find(folders.begin(), folders.end(), folder) == folders.end()) {
      folders.push_back(folder);
    }
  };
  add("bases");
  for (const std::string& file : domain_files) add(fs::path(file).parent_path() / "bases");
  if (const char* cache = std::getenv("HF_HUB_CACHE")) add(cache);
  if (const char* home = std::getenv("HF_HOME")) add(fs::path(home) / "hub");
  if (const char* home = std::getenv("HOME")) add(fs::path(home) / ".cache/huggingface/hub");
  return folders;
}

}  // namespace mozgach
