#include "common/base/base_stamps.h"

#include <fcntl.h>

#include <set>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "common/base/base_files.h"
#include "common/digest.h"
#include "common/files.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;

bool IsWeightFile(const std::string& name) { return name.ends_with(".safetensors"); }

// A training's output may lie beside a base; only what a base is read by counts.
bool BelongsToBase(const fs::path& path) {
  static const std::set<std::string> kEndings = {".json", ".safetensors", ".jinja", ".model",
                                                 ".txt"};
  return kEndings.contains(path.extension().string());
}

}  // namespace

BaseStamps BaseStamps::Of(const fs::path& directory) {
  BaseStamps stamps;
  stamps.directory_ = directory;
  stamps.Add(directory, "");
  stamps.Add(directory / kBaseMoreTemplates, absl::StrCat(kBaseMoreTemplates, "/"));
  return stamps;
}

void BaseStamps::Add(const fs::path& directory, const std::string& prefix) {
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    if (!BelongsToBase(it->path())) continue;
    // O_NONBLOCK: opening a pipe would wait.
    const FileDescriptor fd(open(it->path().c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd.valid()) continue;
    const absl::StatusOr<FileStamp> stamp = StampOf(fd.get());
    if (stamp.ok()) stamps_[prefix + it->path().filename().string()] = *stamp;
  }
}

std::string BaseStamps::FirstChange(const BaseStamps& now) const {
  for (const auto& [name, stamp] : stamps_) {
    const auto found = now.stamps_.find(name);
    if (found == now.stamps_.end() || found->second != stamp) return name;
  }
  for (const auto& [name, stamp] : now.stamps_) {
    if (!stamps_.contains(name)) return name;
  }
  return "";
}

std::string BaseStamps::FirstChangeInPlace(const BaseStamps& now) const {
  for (const auto& [name, stamp] : stamps_) {
    const auto found = now.stamps_.find(name);
    if (!IsWeightFile(name) || found == now.stamps_.end()) continue;
    if (found->second.inode != stamp.inode) continue;
    const FileStamp& other = found->second;
    if (other.size != stamp.size || other.mtime_ns != stamp.mtime_ns) return name;
  }
  return "";
}

absl::StatusOr<std::string> BaseStamps::TextDigest() const {
  std::string lines;
  for (const auto& [name, stamp] : stamps_) {
    if (IsWeightFile(name)) continue;
    ASSIGN_OR_RETURN(const std::string digest, Sha256OfFile(directory_ / name));
    absl::StrAppend(&lines, digest, "  ", name, "\n");
  }
  return Sha256Hex(lines);
}

}  // namespace mozgach
