#include "worker/session/base_folder.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/base_files.h"
#include "common/base/base_format.h"
#include "common/digest.h"
#include "common/domain/domain_spec.h"
#include "common/files.h"
#include "common/utf8.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;

constexpr size_t kProblemBytesMax = 1000;
constexpr uint64_t kConfigBytesMax = 256 << 10;  // the scheduler's limit

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

// The size of the base in `directory`; an error where it has links that leave `within`, or lacks
// shards or what no training can do without: a download that was cut off would fail each of its
// jobs.
absl::StatusOr<uint64_t> Weigh(const fs::path& directory, const std::vector<fs::path>& within) {
  ASSIGN_OR_RETURN(const std::vector<BaseFile> files, ListBaseFiles(directory, within));
  RETURN_IF_ERROR(CheckBaseFormat(directory));
  uint64_t size = 0;
  bool tokenizer = false, weights = false;
  for (const BaseFile& file : files) {
    size += file.size;
    tokenizer = tokenizer || file.name == kBaseTokenizer;
    weights = weights || file.name.ends_with(".safetensors");
  }
  if (tokenizer && weights) return size;
  return absl::FailedPreconditionError(absl::StrCat(directory.string(), " has no ",
                                                    tokenizer ? kBaseWeights : kBaseTokenizer,
                                                    ": it is not all there; fetch the base again"));
}

// The message as a protobuf may carry it: paths may hold any bytes.
std::string Tellable(const absl::Status& status) {
  const std::string_view message(status.message().data(), status.message().size());
  std::string text;
  for (size_t offset = 0; offset < message.size();) {
    AppendUtf8(NextCodePoint(message, &offset), &text);
  }
  return Abbreviate(text, kProblemBytesMax);
}

fs::path Canonical(const fs::path& path) {
  std::error_code error;
  fs::path real = fs::canonical(path, error);
  return error ? path : real;
}

// Reads the config.json in `directory`, unless the base has one already.
void TakeConfig(const fs::path& directory, FoundBase& base) {
  if (!base.config_json.empty()) return;
  absl::StatusOr<std::string> config = ReadFile(directory / kBaseConfig, kConfigBytesMax);
  if (!config.ok() || config->empty() || FirstInvalidUtf8(*config) != std::string_view::npos) {
    return;
  }
  base.config_digest = Sha256Hex(*config);
  base.config_json = *std::move(config);
}

}  // namespace

FoundBases FoundBases::Scan(const std::vector<fs::path>& folders) {
  FoundBases found;
  for (const fs::path& given : folders) {
    std::error_code error;
    const fs::path folder = fs::absolute(given, error).lexically_normal();
    for (const std::string& entry : Directories(folder)) {
      if (!HubModelName(entry).empty()) {
        found.AddCached(folder, folder / entry);
      } else if (IsBase(folder / entry)) {
        found.AddPlain(folder, entry, folder / entry);
      } else if (IsBaseName(entry)) {
        found.AddOrganisation(folder, entry);
      }
    }
  }
  return found;
}

void FoundBases::AddOrganisation(const fs::path& folder, const std::string& entry) {
  bool any = false;
  for (const std::string& inner : Directories(folder / entry)) {
    const std::string name = absl::StrCat(entry, "/", inner);
    if (IsBase(folder / name)) {
      AddPlain(folder, name, folder / name);
      any = true;
    } else if (IsBaseName(name)) {
      AddProblem(name, CheckBaseFormat(folder / name));
    }
  }
  if (!any) AddProblem(entry, CheckBaseFormat(folder / entry));
}

void FoundBases::AddPlain(const fs::path& folder, const std::string& name,
                          const fs::path& directory) {
  if (!IsBaseName(name)) return;
  std::vector<fs::path> within = {Canonical(folder)};
  // A link to a snapshot of this very model in a cache elsewhere.
  const fs::path model = HubModelFolder(Canonical(directory));
  if (!model.empty() && HubModelName(model) == name) within.push_back(model);
  const absl::StatusOr<uint64_t> size = Weigh(directory, within);
  if (!size.ok()) return AddProblem(name, size.status());
  FoundBase& base = bases_[name];
  base.name = name;
  base.problem.clear();
  if (!base.plain.empty()) return;
  base.plain = directory;
  base.size_bytes = *size;
  TakeConfig(directory, base);
}

void FoundBases::AddCached(const fs::path& folder, const fs::path& directory) {
  const std::string name = HubModelName(directory);
  if (!IsBaseName(name)) return;
  const std::vector<fs::path> within = {Canonical(folder), Canonical(directory)};
  FoundBase base{.name = name};
  for (const std::string& commit : Directories(directory / "snapshots")) {
    const fs::path snapshot = directory / "snapshots" / commit;
    if (!IsCommit(commit)) continue;
    if (!IsBase(snapshot)) {
      AddProblem(name, CheckBaseFormat(snapshot));
      continue;
    }
    const absl::StatusOr<uint64_t> size = Weigh(snapshot, within);
    if (!size.ok()) {
      AddProblem(name, size.status());
      continue;
    }
    base.revisions[commit] = snapshot;
    base.size_bytes = std::max(base.size_bytes, *size);
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
  known.problem.clear();
  known.revisions.merge(base.revisions);
  known.size_bytes = std::max(known.size_bytes, base.size_bytes);
  const auto main = known.revisions.find("main");
  TakeConfig((main == known.revisions.end() ? known.revisions.begin() : main)->second, known);
}

void FoundBases::AddProblem(const std::string& name, const absl::Status& status) {
  if (status.ok()) return;
  FoundBase& base = bases_[name];
  base.name = name;
  if (base.plain.empty() && base.revisions.empty()) base.problem = Tellable(status);
}

void FoundBases::AddFetched(const FoundBase& fetched) {
  FoundBase& base = bases_[fetched.name];
  if (base.plain.empty() && base.revisions.empty()) {
    base = fetched;
    return;
  }
  for (const auto& [revision, directory] : fetched.revisions) {
    base.revisions.emplace(revision, directory);
  }
}

void FoundBases::SetChat(const std::string& name, ChatReport chat) {
  bases_.at(name).chat = std::move(chat);
}

absl::StatusOr<fs::path> FoundBases::Find(const std::string& name,
                                          const std::string& revision) const {
  const auto found = bases_.find(name);
  if (found == bases_.end()) {
    return absl::NotFoundError(
        absl::StrCat("the base '", name, "' is not below --bases of this worker; put it there as ",
                     name, "/config.json, …, or give it to the fleet with `mozgachctl bases add`"));
  }
  const FoundBase& base = found->second;
  if (!base.problem.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the base '", name, "' cannot be used: ", base.problem));
  }
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

}  // namespace mozgach
