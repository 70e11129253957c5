#include "worker/transfer/log_spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/log.h"
#include "common/mutex.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;

constexpr size_t kReadAtOnce = 256 << 10;
constexpr std::string_view kCut = "… the log ends here: it is full\n";

FileDescriptor OpenLog(const fs::path& path) {
  return FileDescriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
}

bool IsTemporary(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsCancelled(status) || absl::IsAborted(status) ||
         absl::IsResourceExhausted(status) || absl::IsInternal(status);
}

}  // namespace

LogSpool::LogSpool(fs::path folder) : folder_(std::move(folder)) {
  std::error_code error;
  for (fs::directory_iterator it(folder_, error), end; !error && it != end; it.increment(error)) {
    TakeOver(it->path());
  }
}

fs::path LogSpool::PathOf(const AttemptId& id) const { return folder_ / (id.Name() + ".log"); }

void LogSpool::TakeOver(const fs::path& path) {
  const std::vector<std::string> parts = absl::StrSplit(path.stem().string(), '-');
  AttemptId id;
  if (path.extension() != ".log" || parts.size() != 2 || !absl::SimpleAtoi(parts[0], &id.job) ||
      !absl::SimpleAtoi(parts[1], &id.attempt) || path != PathOf(id)) {
    return;
  }
  Log log{.file = OpenLog(path), .closed = true};
  const off_t size = ::lseek(log.file.get(), 0, SEEK_END);
  if (size <= 0) return;
  log.size = static_cast<uint64_t>(size);
  logs_[id] = std::move(log);
}

void LogSpool::Append(const AttemptId& id, WallTime time, std::string_view line) {
  const MutexLock lock(mutex_);
  Log& log = logs_[id];
  log.closed = false;
  if (!log.file.valid()) log.file = OpenLog(PathOf(id));
  if (log.full) return;
  std::string text =
      absl::StrCat(FormatTime(time), " ", absl::string_view(line.data(), line.size()), "\n");
  log.full = log.size + text.size() > kSizeMax;
  if (log.full) text = kCut;
  const ssize_t written = ::write(log.file.get(), text.data(), text.size());
  if (written > 0) log.size += static_cast<uint64_t>(written);
}

void LogSpool::Close(const AttemptId& id) {
  const MutexLock lock(mutex_);
  const auto found = logs_.find(id);
  if (found != logs_.end()) found->second.closed = true;
}

absl::Status LogSpool::Flush(SchedulerClient& client, std::stop_token stop) {
  std::vector<AttemptId> unsent;
  {
    const MutexLock lock(mutex_);
    for (const auto& [id, log] : logs_) {
      if (log.sent < log.size && !log.refused) unsent.push_back(id);
    }
  }
  absl::Status status;
  for (const AttemptId& id : unsent) {
    status = Send(id, client, stop);
    if (!status.ok()) break;
  }
  RemoveFinished();
  return status;
}

absl::Status LogSpool::Send(const AttemptId& id, SchedulerClient& client, std::stop_token stop) {
  std::string piece(kReadAtOnce, '\0');
  for (;;) {
    uint64_t offset = 0;
    ssize_t got = 0;
    {
      const MutexLock lock(mutex_);
      Log& log = logs_.at(id);
      if (log.sent >= log.size) return absl::OkStatus();
      offset = log.sent;
      got = ::pread(log.file.get(), piece.data(), piece.size(), static_cast<off_t>(offset));
    }
    if (got <= 0) return absl::OkStatus();
    const absl::StatusOr<uint64_t> size = client.AppendLog(
        id.job, id.attempt, offset, {piece.data(), static_cast<size_t>(got)}, stop);
    const MutexLock lock(mutex_);
    if (!size.ok()) {
      if (IsTemporary(size.status())) return size.status();
      spdlog::debug("log of {} is refused: {}", id.Name(), std::string(size.status().message()));
      logs_.at(id).refused = true;
      return absl::OkStatus();
    }
    if (*size == offset) {  // its log is full
      logs_.at(id).refused = true;
      return absl::OkStatus();
    }
    logs_.at(id).sent = *size;
  }
}

void LogSpool::RemoveFinished() {
  const MutexLock lock(mutex_);
  for (auto it = logs_.begin(); it != logs_.end();) {
    const Log& log = it->second;
    if (log.closed && (log.refused || log.sent >= log.size)) {
      ::unlink(PathOf(it->first).c_str());
      it = logs_.erase(it);
    } else {
      ++it;
    }
  }
}

}  // namespace mozgach
