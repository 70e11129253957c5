#include "common/base/base_files.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/files.h"
#include "common/json_text.h"
#include "nlohmann/json.hpp"

namespace mozgach {
namespace fs = std::filesystem;
namespace {

constexpr size_t kPartBytesMax = 255;
constexpr uint64_t kIndexBytesMax = UINT64_C(64) << 20;
constexpr std::string_view kHubPrefix = "models--";

// All but the weights and further chat templates.
constexpr const char* kSmallFiles[] = {kBaseConfig,          "generation_config.json",
                                       kBaseTokenizer,       "tokenizer_config.json",
                                       "tokenizer.model",    "special_tokens_map.json",
                                       "added_tokens.json",  "vocab.json",
                                       "vocab.txt",          "merges.txt",
                                       "chat_template.json", "chat_template.jinja"};

bool IsPlainPart(absl::string_view part) {
  return !part.empty() && part.size() <= kPartBytesMax && part[0] != '.' &&
         std::all_of(part.begin(), part.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' ||
                  c == '-';
         });
}

// Links count, wherever they lead.
bool IsThere(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(path, error);
  return fs::exists(status);
}

absl::StatusOr<BaseFile> LookAt(const fs::path& directory, const std::string& name,
                                const std::vector<fs::path>& within) {
  BaseFile file{.name = name};
  ASSIGN_OR_RETURN(file.path, ResolveWithin(directory / name, within));
  std::error_code error;
  if (!fs::is_regular_file(file.path, error)) {
    return absl::FailedPreconditionError(
        absl::StrCat((directory / name).string(), " is not a regular file"));
  }
  file.size = fs::file_size(file.path, error);
  if (error) return SystemError(error.value(), absl::StrCat("look at ", file.path.string()));
  return file;
}

absl::Status BadIndex(const fs::path& index, const std::string& what) {
  return absl::InvalidArgumentError(
      absl::StrCat(index.string(), ": ", what, "; fetch the base again"));
}

absl::StatusOr<std::set<std::string>> ReadShards(const fs::path& index) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(index, kIndexBytesMax));
  const auto parsed = ParseJson(text);
  const nlohmann::json json = parsed.ok() ? *parsed : nlohmann::json();
  if (!json.is_object() || !json.contains("weight_map") || !json["weight_map"].is_object()) {
    return BadIndex(index, "no JSON object with a weight_map");
  }
  std::set<std::string> shards;
  for (const auto& [tensor, shard] : json["weight_map"].items()) {
    if (!shard.is_string() || !IsPlainPart(shard.get<std::string>())) {
      return BadIndex(index, absl::StrCat("it names ", shard.dump(-1, ' ', true).substr(0, 100),
                                          ", which is not a file of this directory"));
    }
    shards.insert(shard.get<std::string>());
    if (shards.size() > kBaseFilesMax) return BadIndex(index, "it names too many files");
  }
  return shards;
}

// Chat templates beside the default one: additional_chat_templates/tool_use.jinja.
std::vector<std::string> MoreTemplates(const fs::path& directory) {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator it(directory / kBaseMoreTemplates, error);
  for (const fs::directory_iterator end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (it->path().extension() == ".jinja" && IsPlainPart(name)) {
      names.push_back(absl::StrCat(kBaseMoreTemplates, "/", name));
    }
    if (names.size() == kBaseFilesMax) break;
  }
  return names;
}

}  // namespace

bool IsBelow(const fs::path& path, const fs::path& folder) {
  const auto [end, _] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return end == folder.end();
}

bool IsBaseFileName(const std::string& name) {
  const std::vector<absl::string_view> parts = absl::StrSplit(name, '/');
  return parts.size() <= 2 && std::all_of(parts.begin(), parts.end(), IsPlainPart);
}

fs::path HubModelFolder(const fs::path& directory) {
  const fs::path snapshots = directory.parent_path();
  if (snapshots.filename() != "snapshots") return {};
  const fs::path folder = snapshots.parent_path();
  return HubModelName(folder).empty() ? fs::path() : folder;
}

std::string HubModelName(const fs::path& folder) {
  std::string name = folder.filename().string();
  if (!name.starts_with(kHubPrefix)) return "";
  // The cache writes '/' as "--"; an organisation's name has no "--".
  name.erase(0, kHubPrefix.size());
  if (const size_t at = name.find("--"); at != std::string::npos) name.replace(at, 2, "/");
  return name;
}

absl::StatusOr<fs::path> ResolveWithin(const fs::path& path, const std::vector<fs::path>& within) {
  std::error_code error;
  fs::path real = fs::canonical(path, error);
  if (error) {
    return SystemError(error.value(), absl::StrCat("follow ", path.string()));
  }
  for (const fs::path& folder : within) {
    if (IsBelow(real, folder)) return real;
  }
  const auto text = [](std::string* out, const fs::path& folder) { out->append(folder.string()); };
  return absl::FailedPreconditionError(
      absl::StrCat(path.string(), " is a link to ", real.string(), ", outside ",
                   absl::StrJoin(within, " and ", text), "; put the file itself there instead"));
}

absl::StatusOr<std::vector<BaseFile>> ListBaseFiles(const fs::path& directory,
                                                    const std::vector<fs::path>& within) {
  std::vector<std::string> names = MoreTemplates(directory);
  for (const char* name : kSmallFiles) {
    if (IsThere(directory / name)) names.push_back(name);
  }
  // The single file goes first, as in transformers.
  if (IsThere(directory / kBaseWeights)) {
    names.push_back(kBaseWeights);
  } else if (IsThere(directory / kBaseIndex)) {
    ASSIGN_OR_RETURN(const BaseFile index, LookAt(directory, kBaseIndex, within));
    ASSIGN_OR_RETURN(const std::set<std::string> shards, ReadShards(index.path));
    for (const std::string& shard : shards) {
      if (!IsThere(directory / shard)) {
        return absl::NotFoundError(absl::StrCat((directory / shard).string(), " is not there, but ",
                                                kBaseIndex,
                                                " names it; fetch the rest of the base"));
      }
    }
    names.push_back(kBaseIndex);
    names.insert(names.end(), shards.begin(), shards.end());
  }
  // An index may name any file, one that is listed already too.
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::vector<BaseFile> files;
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(files.emplace_back(), LookAt(directory, name, within));
  }
  return files;
}

}  // namespace mozgach
