#include "common/open_beneath.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "absl/strings/str_cat.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;

absl::Status OpenError(int error, const fs::path& path) {
  if (error == ELOOP) {
    return absl::FailedPreconditionError(
        absl::StrCat(path.string(), " is a symbolic link, which is not followed here"));
  }
  return SystemError(error, absl::StrCat("open ", path.string()));
}

}  // namespace

absl::StatusOr<FileDescriptor> OpenBeneath(const fs::path& root, const fs::path& relative) {
  if (relative.empty() || relative.is_absolute()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", relative.string(), "' is not a path below ", root.string()));
  }
  FileDescriptor at(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!at.valid()) return OpenError(errno, root);
  fs::path seen = root;
  for (auto part = relative.begin(); part != relative.end(); ++part) {
    if (part->empty() || *part == "." || *part == "..") {
      return absl::InvalidArgumentError(
          absl::StrCat("'", relative.string(), "' is not a path below ", root.string()));
    }
    seen /= *part;
    struct stat info;
    if (::fstatat(at.get(), part->c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      return OpenError(errno, seen);
    }
    if (S_ISLNK(info.st_mode)) return OpenError(ELOOP, seen);
    // A pipe would keep its reader waiting.
    FileDescriptor next(
        ::openat(at.get(), part->c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!next.valid()) return OpenError(errno, seen);
    at = std::move(next);
  }
  struct stat info;
  if (::fstat(at.get(), &info) != 0) return OpenError(errno, seen);
  if (S_ISREG(info.st_mode)) return at;
  return absl::FailedPreconditionError(absl::StrCat(seen.string(), " is not a regular file"));
}

}  // namespace mozgach
