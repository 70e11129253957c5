#include "worker/trainer/trainer_lock.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/log.h"

namespace mozgach {
namespace {

constexpr Milliseconds kLook{50};
constexpr Milliseconds kDeathTakes{5'000};

// True when the lock is free within `wait`.
absl::StatusOr<bool> FreeWithin(const std::filesystem::path& path, Milliseconds wait) {
  for (Milliseconds waited{0};; waited += kLook) {
    const absl::StatusOr<FileDescriptor> lock = TakeTrainerLock(path);
    if (lock.ok()) return true;
    if (!absl::IsFailedPrecondition(lock.status())) return lock.status();
    if (waited >= wait) return false;
    std::this_thread::sleep_for(kLook);
  }
}

}  // namespace

absl::StatusOr<FileDescriptor> TakeTrainerLock(const std::filesystem::path& path) {
  return LockFile(path, "the device of this trainer");
}

absl::Status NameTrainer(const FileDescriptor& lock, pid_t pid) {
  const std::string text = absl::StrCat(pid, "\n");
  if (::ftruncate(lock.get(), 0) != 0 ||
      ::pwrite(lock.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    return SystemError(errno, "write the process id of a trainer to its lock");
  }
  return absl::OkStatus();
}

absl::Status OutliveOrphan(const std::filesystem::path& path, Milliseconds timeout) {
  ASSIGN_OR_RETURN(bool free, FreeWithin(path, timeout));
  if (free) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, /*limit_bytes=*/64));
  int pid = 0;
  if (absl::SimpleAtoi(text, &pid) && pid > 1) {
    spdlog::warn("trainer {} of an earlier worker does not end: killing it", pid);
    ::kill(-pid, SIGKILL);
  }
  ASSIGN_OR_RETURN(free, FreeWithin(path, kDeathTakes));
  if (free) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("a trainer of an earlier worker still runs (process ", pid, " holds ",
                   path.string(), "); end it, then start this worker again"));
}

}  // namespace mozgach
