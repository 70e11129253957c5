#include "registry/log_sync.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/mutex.h"
#include "failpoint/failpoint.h"

namespace mozgach {
namespace {

// fdatasync of a Mac asks the disk for nothing.
absl::Status SyncDescriptor(int fd, const std::string& path) {
#ifdef __APPLE__
  const int failed = ::fcntl(fd, F_FULLFSYNC);
#else
  const int failed = ::fdatasync(fd);
#endif
  return failed == 0 ? absl::OkStatus() : SystemError(errno, absl::StrCat("fdatasync ", path));
}

}  // namespace

LogSync::LogSync(const std::string& path)
    : log_(path.empty() || path == ":memory:" ? "" : path + "-wal") {}

absl::Status LogSync::SyncLog() {
  mutex_.AssertHeld();  // DURABLE calls it in a lambda
  if (fd_.valid()) return SyncDescriptor(fd_.get(), log_);
  FileDescriptor fd(::open(log_.c_str(), O_RDWR | O_CLOEXEC));
  // It comes with the first commit and stays for as long as the database is open.
  if (!fd.valid() && errno == ENOENT) return absl::OkStatus();
  if (!fd.valid()) return SystemError(errno, absl::StrCat("open ", log_));
  RETURN_IF_ERROR(SyncDescriptor(fd.get(), log_));
  RETURN_IF_ERROR(SyncDirectory(std::filesystem::path(log_).parent_path()));
  fd_ = std::move(fd);
  return absl::OkStatus();
}

absl::Status LogSync::Sync() {
  if (log_.empty()) return absl::OkStatus();
  // Two at once could share one error, of which the system tells only the first.
  const MutexLock lock(mutex_);
  if (!failure_.ok()) return failure_;
  const auto start = std::chrono::steady_clock::now();
  failure_ = DURABLE("registry.database.sync", SyncLog());
  ++syncs_;
  nanoseconds_ += (std::chrono::steady_clock::now() - start).count();
  return failure_;
}

}  // namespace mozgach
