// Files as the registry, the queue and the checkpoints need them: whole or not there at all.
//
// Every function that writes returns OK only when the bytes are on disk (fsync), and says which
// path and which step failed otherwise.  Safe from any thread; callers see to it that two writers
// do not share a path.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"

namespace mozgach {

// Owns one file descriptor and closes it.  Movable, not copyable.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.Release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor() { Close(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int Release();
  void Close();

 private:
  int fd_ = -1;
};

// The whole file.  RESOURCE_EXHAUSTED when it is larger than `limit_bytes`; INVALID_ARGUMENT for a
// pipe to which nothing is written for 10 s.
absl::StatusOr<std::string> ReadFile(const std::filesystem::path& path,
                                     uint64_t limit_bytes = UINT64_C(1) << 31);

// Writes `path` so that a reader, and a machine that lost power, finds the old bytes or the new
// ones: temporary file beside it, fsync, rename, fsync of the directory.
absl::Status WriteFileAtomically(const std::filesystem::path& path, std::string_view bytes);

// mkdir -p; every directory that is made is synced in its parent, and so is the one that it is made
// in.
absl::Status MakeDirectories(const std::filesystem::path& path);

// MakeDirectories; afterwards `path`, its name and the names in it are on disk, also if an earlier
// process made them and died before it could sync them.
absl::Status SettleDirectory(const std::filesystem::path& path);

// rename(2), then fsync of both parents.  `from` and `to` lie on one file system.
absl::Status RenameDurably(const std::filesystem::path& from, const std::filesystem::path& to);

absl::Status SyncFile(const std::filesystem::path& path);
absl::Status SyncDirectory(const std::filesystem::path& path);

// Removes a file or a tree; what is not there is removed already.
absl::Status RemoveAll(const std::filesystem::path& path);

// Regular files below `root`, relative to it, sorted.  Symbolic links are not followed.
absl::StatusOr<std::vector<std::string>> ListFiles(const std::filesystem::path& root);

// Takes an advisory lock on `path`, made if needed, and holds it as long as the result lives.
// FAILED_PRECONDITION when another process holds it: `what` names the thing that is in use.
absl::StatusOr<FileDescriptor> LockFile(const std::filesystem::path& path, std::string_view what);

}  // namespace mozgach
