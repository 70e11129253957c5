// A DatasetCache keeps datasets on this host by their digest: each is fetched once, whatever the
// number of jobs that use it.  A download that was cut goes on where it was; bytes count only when
// their digest is right.
//
// Files are not trusted: this process computes a file's digest when it first uses it, and again
// when the file has changed since. Above `bytes_max` the least recently used files are removed,
// except those that an attempt holds. Files may be deleted while the worker is down. One thread at
// a time; the folder belongs to this worker alone.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "worker/session/worker_attempt.h"
#include "worker/transfer/scheduler_client.h"

namespace mozgach {

class DatasetCache {
 public:
  static constexpr uint64_t kBytesMax = uint64_t{32} << 30;

  // `client` outlives the cache.
  DatasetCache(std::filesystem::path folder, SchedulerClient& client,
               uint64_t bytes_max = kBytesMax)
      : folder_(std::move(folder)), client_(client), bytes_max_(bytes_max) {}

  // All datasets of an attempt, which holds them until Release.  RESOURCE_EXHAUSTED: the disk is
  // full.  DATA_LOSS: the scheduler's copy is damaged.  CANCELLED: `stop`.
  absl::StatusOr<DatasetPaths> Fetch(const AttemptId& attempt,
                                     const std::vector<v1::Dataset>& datasets,
                                     std::stop_token stop);
  // Releases the files of an attempt that is over; does nothing if it holds none.
  void Release(const AttemptId& attempt) { held_.erase(attempt); }

 private:
  // What tells whether a file is still the one whose digest was right.
  struct Fingerprint {
    uint64_t inode = 0;
    uint64_t size = 0;
    int64_t changed_ns = 0;
    bool operator==(const Fingerprint&) const = default;
  };

  // False where there is none, or it is damaged.
  bool HasWhole(const v1::Dataset& dataset, const std::filesystem::path& path);
  void Trim();
  bool IsHeld(const std::string& sha256) const;
  static Fingerprint FingerprintOf(const std::filesystem::path& path);

  absl::StatusOr<std::filesystem::path> FetchOne(const v1::Dataset& dataset, std::stop_token stop);

  const std::filesystem::path folder_;
  SchedulerClient& client_;
  const uint64_t bytes_max_;
  std::map<AttemptId, std::set<std::string>> held_;  // digests
  std::map<std::string, Fingerprint> verified_;      // by digest
};

}  // namespace mozgach
