#include "scheduler/upkeep/file_copy.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "failpoint/failpoint.h"

namespace mozgach {
namespace fs = std::filesystem;
namespace {

bool MayCopyInstead(int error) {
  return error == EXDEV || error == EPERM || error == EMLINK || error == EOPNOTSUPP;
}

// Whole or not there at all: a copy that was cut is not taken for the file.
absl::Status CopyBytes(const fs::path& from, const fs::path& to) {
  fs::path draft = to;
  draft += ".copying";
  std::error_code error;
  fs::copy_file(from, draft, fs::copy_options::overwrite_existing, error);
  if (error) return SystemError(error.value(), absl::StrCat("copy to ", draft.string()));
  RETURN_IF_ERROR(DURABLE("scheduler.file_copy.sync", SyncFile(draft)));
  return DURABLE("scheduler.file_copy.complete", RenameDurably(draft, to));
}

}  // namespace

absl::Status CopyFile(const fs::path& from, const fs::path& to, CopyBy by, CopiedFiles& copied) {
  struct stat info;
  if (::stat(to.c_str(), &info) == 0) return absl::OkStatus();
  if (::stat(from.c_str(), &info) != 0) {
    return SystemError(errno, absl::StrCat("open ", from.string()));
  }
  RETURN_IF_ERROR(MakeDirectories(to.parent_path()));
  const bool linked = by == CopyBy::kLink && ::link(from.c_str(), to.c_str()) == 0;
  if (!linked) {
    if (by == CopyBy::kLink && !MayCopyInstead(errno)) {
      return SystemError(errno, absl::StrCat("link ", to.string()));
    }
    RETURN_IF_ERROR(CopyBytes(from, to));
  }
  ++copied.files;
  copied.linked += linked ? 1 : 0;
  copied.bytes += static_cast<uint64_t>(info.st_size);
  return absl::OkStatus();
}

}  // namespace mozgach
