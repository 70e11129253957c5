// A LogSpool keeps the log of each attempt in a file until the scheduler has it.
//
// Append never waits for the network: a scheduler that is away for hours, or a worker that was
// killed, costs no line.  Files of an earlier worker are sent on.  A disk that is full costs lines,
// never the training.  Thread-safe; Flush is for one thread.
#pragma once

#include <filesystem>
#include <map>
#include <stop_token>
#include <string_view>

#include "common/files.h"
#include "common/mutex.h"
#include "worker/session/worker_attempt.h"
#include "worker/transfer/scheduler_client.h"

namespace mozgach {

class LogSpool {
 public:
  // A log stops growing here.
  static constexpr uint64_t kSizeMax = uint64_t{16} << 20;

  // `folder` exists.
  explicit LogSpool(std::filesystem::path folder);

  // Adds "TIME line\n".
  void Append(const AttemptId& id, WallTime time, std::string_view line);
  // No more lines will come: its file goes once all of it has been sent.
  void Close(const AttemptId& id);

  // Sends what has not been sent.  Returns the first error of a scheduler that does not answer; a
  // log that the scheduler refuses is not sent again.
  absl::Status Flush(SchedulerClient& client, std::stop_token stop);

 private:
  struct Log {
    FileDescriptor file;
    uint64_t size = 0;
    uint64_t sent = 0;
    bool full = false;
    bool closed = false;
    bool refused = false;
  };

  std::filesystem::path PathOf(const AttemptId& id) const;
  void TakeOver(const std::filesystem::path& path) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Send(const AttemptId& id, SchedulerClient& client, std::stop_token stop);
  void RemoveFinished();

  const std::filesystem::path folder_;
  Mutex mutex_;
  std::map<AttemptId, Log> logs_ ABSL_GUARDED_BY(mutex_);  // guarded by mutex_
};

}  // namespace mozgach
