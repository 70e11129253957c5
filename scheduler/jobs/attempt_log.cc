#include "scheduler/jobs/attempt_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "common/mutex.h"

namespace mozgach {
namespace fs = std::filesystem;

fs::path AttemptLogs::PathOf(int64_t job, int64_t attempt) const {
  return root_ / absl::StrCat(job) / absl::StrCat(attempt, ".log");
}

absl::StatusOr<uint64_t> AttemptLogs::Append(int64_t job, int64_t attempt, uint64_t offset,
                                             std::string_view bytes) {
  const fs::path path = PathOf(job, attempt);
  const MutexLock lock(mutex_);
  RETURN_IF_ERROR(MakeDirectories(path.parent_path()));
  FileDescriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  struct stat info;
  if (!fd.valid() || ::fstat(fd.get(), &info) != 0) {
    return SystemError(errno, absl::StrCat("open ", path.string()));
  }
  const uint64_t size = static_cast<uint64_t>(info.st_size);
  if (offset > size && size < bytes_max_) return size;
  const uint64_t end = offset + bytes.size();
  if (end <= size || size >= bytes_max_) return std::max(end, size);
  std::string_view fresh = bytes.substr(size - offset);
  fresh = fresh.substr(0, bytes_max_ - size);
  for (uint64_t at = size; !fresh.empty();) {
    const ssize_t written = ::pwrite(fd.get(), fresh.data(), fresh.size(), static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError(errno, absl::StrCat("write ", path.string()));
    at += static_cast<uint64_t>(written);
    fresh.remove_prefix(static_cast<size_t>(written));
  }
  return end;
}

absl::StatusOr<std::string> AttemptLogs::Read(int64_t job, int64_t attempt, uint64_t offset,
                                              size_t bytes_max) const {
  const fs::path path = PathOf(job, attempt);
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid() && errno == ENOENT) return std::string();
  if (!fd.valid()) return SystemError(errno, absl::StrCat("open ", path.string()));
  if (offset > static_cast<uint64_t>(INT64_MAX)) return std::string();
  std::string bytes(bytes_max, '\0');
  const ssize_t got = ::pread(fd.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
  if (got < 0) return SystemError(errno, absl::StrCat("read ", path.string()));
  bytes.resize(static_cast<size_t>(got));
  return bytes;
}

absl::StatusOr<std::vector<int64_t>> AttemptLogs::Jobs() const {
  std::vector<int64_t> jobs;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root_, error)) {
    int64_t job = 0;
    if (absl::SimpleAtoi(entry.path().filename().string(), &job)) jobs.push_back(job);
  }
  if (!error || error == std::errc::no_such_file_or_directory) return jobs;
  return SystemError(error.value(), absl::StrCat("list ", root_.string()));
}

absl::Status AttemptLogs::SetAside(int64_t job, int64_t last) const {
  std::vector<fs::path> later;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root_ / absl::StrCat(job), error)) {
    int64_t attempt = 0;
    if (entry.path().extension() == ".log" &&
        absl::SimpleAtoi(entry.path().stem().string(), &attempt) && attempt > last) {
      later.push_back(entry.path());
    }
  }
  for (const fs::path& path : later) {
    fs::path aside;
    for (int number = 1; aside.empty() || fs::exists(aside, error); ++number) {
      aside = absl::StrCat(path.string(), ".forgotten-", number);
    }
    fs::rename(path, aside, error);
    if (error) return SystemError(error.value(), absl::StrCat("rename ", path.string()));
  }
  return absl::OkStatus();
}

}  // namespace mozgach
