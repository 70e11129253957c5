#include "common/file_stamp.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

namespace mozgach {
namespace {

// File systems take their time from a clock that ticks every few milliseconds.
constexpr int64_t kTickNs = 50'000'000;

int64_t Nanoseconds(const timespec& time) {
  return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

bool FileStamp::Settled() const {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::max(mtime_ns, ctime_ns) + kTickNs <
         std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

absl::StatusOr<FileStamp> StampOf(int fd) {
  struct stat status;
  if (fstat(fd, &status) != 0) return SystemError(errno, "stat");
  if (!S_ISREG(status.st_mode)) return absl::DataLossError("is not a regular file");
  FileStamp stamp;
  stamp.size = status.st_size;
#if defined(__APPLE__)
  stamp.mtime_ns = Nanoseconds(status.st_mtimespec);
  stamp.ctime_ns = Nanoseconds(status.st_ctimespec);
#else
  stamp.mtime_ns = Nanoseconds(status.st_mtim);
  stamp.ctime_ns = Nanoseconds(status.st_ctim);
#endif
  stamp.inode = static_cast<int64_t>(status.st_ino);
  return stamp;
}

}  // namespace mozgach
