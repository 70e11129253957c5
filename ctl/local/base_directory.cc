#include "ctl/local/base_directory.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/base_format.h"
#include "common/digest.h"
#include "common/domain/domain_spec.h"
#include "common/domain/spec_value.h"
#include "common/files.h"
#include "common/json_text.h"
#include "planner/model_config.h"
#include "proto/base_manifest.h"

namespace mozgach {
namespace fs = std::filesystem;
namespace {

constexpr size_t kReadAtOnce = size_t{1} << 20;
constexpr uint64_t kRefBytesMax = 1024;
constexpr uint64_t kConfigBytesMax = UINT64_C(16) << 20;

absl::StatusOr<fs::path> Real(const fs::path& path) {
  std::error_code error;
  fs::path real = fs::canonical(path, error);
  if (error == std::errc::no_such_file_or_directory) {
    return absl::NotFoundError(absl::StrCat("there is no directory ", path.string()));
  }
  if (error) return SystemError(error.value(), absl::StrCat("look at ", path.string()));
  if (!fs::is_directory(real, error)) {
    return absl::InvalidArgumentError(absl::StrCat(path.string(), " is not a directory"));
  }
  return real;
}

std::string Trimmed(const std::string& text) {
  return std::string(absl::StripAsciiWhitespace(text));
}

// DIR/models--org--name → its snapshot of `main`, or the only one.
absl::StatusOr<fs::path> OnlySnapshot(const fs::path& model) {
  const auto main = ReadFile(model / "refs" / "main", kRefBytesMax);
  std::error_code error;
  if (main.ok() && IsBaseFileName(Trimmed(*main))) {
    const fs::path snapshot = model / "snapshots" / Trimmed(*main);
    if (fs::is_directory(snapshot, error)) return snapshot;
  }
  std::vector<fs::path> snapshots;
  fs::directory_iterator it(model / "snapshots", error);
  for (const fs::directory_iterator end; !error && it != end; it.increment(error)) {
    snapshots.push_back(it->path());
  }
  if (snapshots.size() == 1) return snapshots.front();
  return absl::InvalidArgumentError(absl::StrCat(model.string(), " has ", snapshots.size(),
                                                 " snapshots and no refs/main; name one of them: ",
                                                 (model / "snapshots" / "COMMIT").string()));
}

// The commit, and the branches that point at it.
std::vector<std::string> RevisionsOf(const fs::path& model, const std::string& commit) {
  std::vector<std::string> revisions = {commit};
  for (const std::string& ref : ListFiles(model / "refs").value_or(std::vector<std::string>())) {
    const auto target = ReadFile(model / "refs" / ref, kRefBytesMax);
    if (target.ok() && Trimmed(*target) == commit && IsRevision(ref)) revisions.push_back(ref);
  }
  std::sort(revisions.begin(), revisions.end());
  revisions.erase(std::unique(revisions.begin(), revisions.end()), revisions.end());
  return revisions;
}

std::string NameFromPath(const fs::path& directory) {
  const std::string last = directory.filename().string();
  const std::string before = directory.parent_path().filename().string();
  return before.empty() ? last : absl::StrCat(before, "/", last);
}

absl::Status CheckWhole(const fs::path& directory, const std::vector<BaseFile>& files) {
  const auto has = [&](const char* name) {
    return std::any_of(files.begin(), files.end(),
                       [&](const BaseFile& file) { return file.name == name; });
  };
  if (!has(kBaseConfig)) {
    return absl::InvalidArgumentError(
        absl::StrCat(directory.string(),
                     " has no config.json: a base is a directory as downloaded from the hub"));
  }
  if (!has(kBaseIndex) && !has(kBaseWeights)) {
    return absl::InvalidArgumentError(
        absl::StrCat(directory.string(),
                     " has neither model.safetensors nor model.safetensors.index.json; weights "
                     "in another format can be saved as safetensors by transformers"));
  }
  return absl::OkStatus();
}

// A config.json that names a model we cannot train.  One that names none is for the trainer to
// judge.
absl::Status CheckFamily(const fs::path& directory) {
  const absl::StatusOr<std::string> text = ReadFile(directory / kBaseConfig, kConfigBytesMax);
  const auto json = text.ok() ? ParseJson(*text) : text.status();
  if (!json.ok() || !json->is_object() || !json->contains("model_type")) return absl::OkStatus();
  return ModelConfig::Load(directory).status();
}

absl::StatusOr<std::string> HashFile(const fs::path& path,
                                     const std::function<void(uint64_t)>& hashed) {
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return SystemError(errno, absl::StrCat("open ", path.string()));
  Sha256 sha;
  std::string piece(kReadAtOnce, '\0');
  for (;;) {
    const ssize_t got = ::read(fd.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError(errno, absl::StrCat("read ", path.string()));
    if (got == 0) return sha.Finish();
    sha.Update({piece.data(), static_cast<size_t>(got)});
    hashed(static_cast<uint64_t>(got));
  }
}

}  // namespace

absl::StatusOr<BaseDirectory> ReadBaseDirectory(const fs::path& path, const std::string& name) {
  ASSIGN_OR_RETURN(fs::path directory, Real(path));
  if (!HubModelName(directory).empty()) {
    ASSIGN_OR_RETURN(const fs::path snapshot, OnlySnapshot(directory));
    ASSIGN_OR_RETURN(directory, Real(snapshot));
  }
  BaseDirectory base{.name = name, .directory = directory};
  std::vector<fs::path> within = {directory};
  const fs::path model = HubModelFolder(directory);
  if (!model.empty()) {
    within.push_back(model);
    base.revisions = RevisionsOf(model, directory.filename().string());
  }
  if (base.name.empty()) {
    // As it was typed: a link called org/name says what its target is.
    const fs::path typed = fs::absolute(path).lexically_normal();
    base.name = model.empty() ? NameFromPath(typed.has_filename() ? typed : typed.parent_path())
                              : HubModelName(model);
  }
  if (!IsBaseName(base.name)) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(base.name),
                     " is not a name of a base; give one as on the hub: --name "
                     "Qwen/Qwen2.5-3B"));
  }
  absl::StatusOr<std::vector<BaseFile>> files = ListBaseFiles(directory, within);
  if (!files.ok()) return absl::InvalidArgumentError(files.status().message());
  RETURN_IF_ERROR(CheckBaseFormat(directory));
  RETURN_IF_ERROR(CheckWhole(directory, *files));
  RETURN_IF_ERROR(CheckFamily(directory));
  for (const BaseFile& file : *files) base.size_bytes += file.size;
  base.files = *std::move(files);
  return base;
}

absl::StatusOr<v1::BaseManifest> HashBase(const BaseDirectory& base,
                                          const std::function<void(uint64_t)>& hashed) {
  v1::BaseManifest manifest;
  manifest.set_base(base.name);
  for (const std::string& revision : base.revisions) manifest.add_revisions(revision);
  for (const BaseFile& file : base.files) {
    v1::File& entry = *manifest.add_files();
    entry.set_path(file.name);
    entry.set_size(file.size);
    ASSIGN_OR_RETURN(*entry.mutable_sha256(), HashFile(file.path, hashed));
  }
  Seal(manifest);
  RETURN_IF_ERROR(CheckManifest(manifest));
  return manifest;
}

}  // namespace mozgach
