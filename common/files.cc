#include "common/files.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "common/write_all.h"

namespace mozgach {
namespace fs = std::filesystem;
namespace {

constexpr int kPipeTimeoutMs = 10'000;

absl::Status SyncPath(const fs::path& path, int flags) {
  FileDescriptor fd(::open(path.c_str(), flags | O_CLOEXEC));
  if (!fd.valid()) return SystemError(errno, absl::StrCat("open ", path.string()));
  if (::fsync(fd.get()) != 0) return SystemError(errno, absl::StrCat("fsync ", path.string()));
  return absl::OkStatus();
}

fs::path ParentOf(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

// Where we may not write, no name is one that we made.
absl::Status SyncNamesIn(const fs::path& directory) {
  if (::access(directory.c_str(), R_OK | W_OK) != 0) return absl::OkStatus();
  return SyncDirectory(directory);
}

}  // namespace

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    Close();
    fd_ = other.Release();
  }
  return *this;
}

int FileDescriptor::Release() {
  const int fd = fd_;
  fd_ = -1;
  return fd;
}

void FileDescriptor::Close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

namespace {

// A pipe that nobody writes to would be waited for without end.
absl::Status WaitForBytes(const FileDescriptor& fd, const fs::path& path) {
  pollfd waiting = {fd.get(), POLLIN, 0};
  if (::poll(&waiting, 1, kPipeTimeoutMs) != 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(path.string(),
                                                 ": is a pipe to which nothing was written for ",
                                                 kPipeTimeoutMs / 1000, " s; name a file"));
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const fs::path& path, uint64_t limit_bytes) {
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info;
  if (!fd.valid() || ::fstat(fd.get(), &info) != 0) {
    return SystemError(errno, absl::StrCat("open ", path.string()));
  }
  std::string bytes;
  char buffer[1 << 16];
  for (;;) {
    if (S_ISFIFO(info.st_mode)) RETURN_IF_ERROR(WaitForBytes(fd, path));
    const ssize_t got = ::read(fd.get(), buffer, sizeof(buffer));
    if (got < 0 && (errno == EINTR || (errno == EAGAIN && S_ISFIFO(info.st_mode)))) continue;
    if (got < 0) return SystemError(errno, absl::StrCat("read ", path.string()));
    if (got == 0) return bytes;
    bytes.append(buffer, static_cast<size_t>(got));
    if (bytes.size() > limit_bytes) {
      return absl::ResourceExhaustedError(
          absl::StrCat(path.string(), ": larger than the ", limit_bytes, " bytes read here"));
    }
  }
}

absl::Status WriteFileAtomically(const fs::path& path, std::string_view bytes) {
  static std::atomic<uint64_t> counter{0};
  fs::path temporary = path;
  temporary += absl::StrCat(".", ::getpid(), ".", counter.fetch_add(1), ".tmp");
  absl::Status status = [&]() -> absl::Status {
    FileDescriptor fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!fd.valid()) return SystemError(errno, absl::StrCat("create ", temporary.string()));
    RETURN_IF_ERROR(WriteAll(fd.get(), bytes, temporary));
    if (::fsync(fd.get()) != 0) {
      return SystemError(errno, absl::StrCat("fsync ", temporary.string()));
    }
    return absl::OkStatus();
  }();
  if (status.ok()) status = RenameDurably(temporary, path);
  if (!status.ok()) ::unlink(temporary.c_str());
  return status;
}

absl::Status MakeDirectories(const fs::path& path) {
  if (path.empty()) return absl::OkStatus();
  struct stat info;
  if (::stat(path.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode)) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat(path.string(), " is not a directory"));
  }
  const fs::path parent = ParentOf(path);
  if (::stat(parent.c_str(), &info) == 0) {
    // The process that made it may have died before the sync.
    RETURN_IF_ERROR(SyncNamesIn(ParentOf(parent)));
  } else {
    RETURN_IF_ERROR(MakeDirectories(parent));
  }
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) {
    const int error = errno;
    ::rmdir(path.c_str());  // it may have happened all the same
    return SystemError(error, absl::StrCat("mkdir ", path.string()));
  }
  const absl::Status synced = SyncDirectory(ParentOf(path));
  // Left there, it would pass for one that is synced.
  if (!synced.ok()) ::rmdir(path.c_str());
  return synced;
}

absl::Status SettleDirectory(const fs::path& path) {
  RETURN_IF_ERROR(MakeDirectories(path));
  RETURN_IF_ERROR(SyncDirectory(path));
  return SyncNamesIn(ParentOf(path));
}

absl::Status RenameDurably(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    return SystemError(errno, absl::StrCat("rename ", from.string(), " to ", to.string()));
  }
  RETURN_IF_ERROR(SyncDirectory(ParentOf(to)));
  if (ParentOf(from) != ParentOf(to)) return SyncDirectory(ParentOf(from));
  return absl::OkStatus();
}

absl::Status SyncFile(const fs::path& path) { return SyncPath(path, O_RDONLY); }

absl::Status SyncDirectory(const fs::path& path) { return SyncPath(path, O_RDONLY | O_DIRECTORY); }

absl::Status RemoveAll(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) return SystemError(error.value(), absl::StrCat("remove ", path.string()));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> ListFiles(const fs::path& root) {
  std::vector<std::string> files;
  std::error_code error;
  fs::recursive_directory_iterator it(root, error);
  if (error) return SystemError(error.value(), absl::StrCat("list ", root.string()));
  for (const fs::recursive_directory_iterator end; it != end; it.increment(error)) {
    if (error) return SystemError(error.value(), absl::StrCat("list ", root.string()));
    if (it->symlink_status().type() == fs::file_type::regular) {
      files.push_back(it->path().lexically_relative(root).string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

absl::StatusOr<FileDescriptor> LockFile(const fs::path& path, std::string_view what) {
  FileDescriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd.valid()) return SystemError(errno, absl::StrCat("open ", path.string()));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return SystemError(errno, absl::StrCat("lock ", path.string()));
    return absl::FailedPreconditionError(
        absl::StrCat(absl::string_view(what.data(), what.size()), " is in use by another process (",
                     path.string(), " is locked); stop that one first, or name another directory"));
  }
  return fd;
}

}  // namespace mozgach
