// AttemptLogs are what the trainers wrote, one bounded file per attempt: ROOT/<job>/<attempt>.log.
// Thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/mutex.h"
#include "common/status.h"

namespace mozgach {

class AttemptLogs {
 public:
  // Each file holds at most `bytes_max`; what goes beyond is passed over.
  AttemptLogs(std::filesystem::path root, uint64_t bytes_max)
      : root_(std::move(root)), bytes_max_(bytes_max) {}

  // Appends `bytes` that start at `offset` of the attempt's log, without those that are here
  // already. Returns where to go on: past the end of the bytes, or the log's size where there is a
  // gap.
  absl::StatusOr<uint64_t> Append(int64_t job, int64_t attempt, uint64_t offset,
                                  std::string_view bytes);

  // Returns at most `bytes_max` bytes from `offset`; "" at the end, and without a log.
  absl::StatusOr<std::string> Read(int64_t job, int64_t attempt, uint64_t offset,
                                   size_t bytes_max) const;

  // Takes the logs of later attempts than `last` of a job out of the way of those that will have
  // their numbers: "2.log" becomes "2.log.forgotten-1".
  absl::Status SetAside(int64_t job, int64_t last) const;
  // Returns the jobs that have, or had, logs; unordered.
  absl::StatusOr<std::vector<int64_t>> Jobs() const;

 private:
  std::filesystem::path PathOf(int64_t job, int64_t attempt) const;

  const std::filesystem::path root_;
  const uint64_t bytes_max_;
  Mutex mutex_;
};

}  // namespace mozgach
