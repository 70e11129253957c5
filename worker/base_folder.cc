#include "worker/base_folder.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/domain_spec.h"
#include "common/files.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kCachePrefix = "models--";

bool IsBase(const fs::path& directory) {
  std::error_code error;
  return fs::is_regular_file(directory / "config.json", error);
}

// Names of the directories in `directory` (links to directories too), sorted.
std::vector<std::string> Directories(const fs::path& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (it->is_directory(ignored)) names.push_back(it->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool IsCommit(const std::string& text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isxdigit(static_cast<unsigned char>(c));
  });
}

}  // namespace

FoundBases FoundBases::Scan(const std::vector<fs::path>& folders) {
  FoundBases found;
  for (const fs::path& given : folders) {
    std::error_code error;
    const fs::path folder = fs::absolute(given, error).lexically_normal();
    for (const std::string& entry : Directories(folder)) {
      if (entry.starts_with(kCachePrefix)) {
        found.AddCached(entry, folder / entry);
      } else if (IsBase(folder / entry)) {
        found.AddPlain(entry, folder / entry);
      } else if (IsBaseName(entry)) {
        for (const std::string& name : Directories(folder / entry)) {
          if (IsBase(folder / entry / name)) {
            found.AddPlain(absl::StrCat(entry, "/", name), folder / entry / name);
          }
        }
      }
    }
  }
  return found;
}

void FoundBases::AddPlain(const std::string& name, const fs::path& directory) {
  if (!IsBaseName(name)) return;
  FoundBase& base = bases_[name];
  base.name = name;
  if (base.plain.empty()) base.plain = directory;
}

void FoundBases::AddCached(const std::string& entry, const fs::path& directory) {
  // The cache writes '/' as "--"; an organisation's name has no "--".
  std::string name = entry.substr(kCachePrefix.size());
  if (const size_t at = name.find("--"); at != std::string::npos) name.replace(at, 2, "/");
  if (!IsBaseName(name)) return;
  FoundBase base{.name = name};
  for (const std::string& commit : Directories(directory / "snapshots")) {
    if (IsCommit(commit) && IsBase(directory / "snapshots" / commit)) {
      base.revisions[commit] = directory / "snapshots" / commit;
    }
  }
  for (const std::string& ref :
       ListFiles(directory / "refs").value_or(std::vector<std::string>())) {
    const auto commit = ReadFile(directory / "refs" / ref, /*limit_bytes=*/1024);
    if (!commit.ok()) continue;
    const auto snapshot = base.revisions.find(std::string(absl::StripAsciiWhitespace(*commit)));
    if (snapshot != base.revisions.end()) base.revisions[ref] = snapshot->second;
  }
  if (base.revisions.empty()) return;
  FoundBase& known = bases_[name];
  known.name = name;
  known.revisions.merge(base.revisions);
}

absl::StatusOr<fs::path> FoundBases::Find(const std::string& name,
                                          const std::string& revision) const {
  const auto found = bases_.find(name);
  if (found == bases_.end()) {
    return absl::NotFoundError(
        absl::StrCat("the base '", name, "' is not below --bases of this worker; put it there as ",
                     name, "/config.json, …"));
  }
  const FoundBase& base = found->second;
  if (revision.empty() && !base.plain.empty()) return base.plain;
  const auto exact = base.revisions.find(revision.empty() ? "main" : revision);
  if (exact != base.revisions.end()) return exact->second;
  if (revision.empty() && base.revisions.size() == 1) return base.revisions.begin()->second;
  const auto name_of = [](std::string* out, const auto& each) { absl::StrAppend(out, each.first); };
  return absl::NotFoundError(absl::StrCat(
      "the base '", name, "' is on this worker, but not its revision '",
      revision.empty() ? "main" : revision, "'; there is ",
      base.revisions.empty() ? "a plain directory, which serves jobs that ask for no revision"
                             : absl::StrJoin(base.revisions, ", ", name_of)));
}

bool FoundBases::operator==(const FoundBases& other) const {
  return std::equal(bases_.begin(), bases_.end(), other.bases_.begin(), other.bases_.end(),
                    [](const auto& a, const auto& b) {
                      return a.first == b.first && a.second.plain == b.second.plain &&
                             a.second.revisions == b.second.revisions;
                    });
}

}  // namespace mozgach
