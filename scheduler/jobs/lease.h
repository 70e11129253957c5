// A Lease is one worker's time-limited, exclusive right to run one job and to write about it.
//
// Who holds a lease is a row; when it ends is kept in memory, on the monotonic clock, so that
// renewing costs nothing.  After a restart every lease has its whole length again.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "registry/database.h"
#include "scheduler/jobs/now.h"

namespace mozgach {

struct Lease {
  int64_t job = 0;
  int64_t attempt = 0;
  std::string worker;
  std::string incarnation;
  Milliseconds expires_at{};    // since boot
  bool reported = false;        // the worker has named it: it knows
  std::string pinned_json;      // its pins as they are stored; empty: none yet
  bool stop = false;            // a cancel is asked for: the worker is told to stop
  std::string device;           // device chosen by placement; empty: any
  std::string memory_pool;      // memory pool of that device
  uint64_t reserved_bytes = 0;  // bytes reserved on `device`; 0 if unplanned
  int64_t checkpoint_step = 0;  // step of the checkpoint this worker uploaded last
  Milliseconds time_limit{};    // 0: none
  // Since boot: when it was first heard to train, where it has a time limit.  What waits on its
  // worker for the job before it, or for its base, does not run yet.  max(): not yet.
  Milliseconds trains_since = Milliseconds::max();

  // Since boot; max(): no limit, or its clock does not go yet.
  Milliseconds RunsUntil() const {
    const bool counts = time_limit.count() > 0 && trains_since != Milliseconds::max();
    return counts ? trains_since + time_limit : Milliseconds::max();
  }
};

// Rows and deadlines.  Methods that write join the open transaction and leave memory alone; those
// that change memory are called once it is committed.  One thread at a time.
class Leases {
 public:
  explicit Leases(Database& database) : database_(database) {}

  // Reads the rows; every lease ends `length` from now.  Time limits go on.
  absl::Status Recover(const Now& now, Milliseconds length);

  absl::Status InsertRow(const Lease& lease);
  absl::Status HandOverRow(const Lease& lease, const std::string& incarnation);
  absl::Status DeleteRow(const Lease& lease);
  // The clock of its time limit begins now.
  absl::Status StartClockRow(WallTime now, const Lease& lease);

  void Add(Lease lease);
  void Erase(int64_t job);
  void Renew(int64_t job, Milliseconds expires_at);
  void MarkReported(int64_t job, const std::string& incarnation);
  void MarkPinned(int64_t job, const std::string& pinned_json);
  void MarkCheckpoint(int64_t job, int64_t step);
  // 0: none.
  void MarkTimeLimit(int64_t job, Milliseconds limit);
  void MarkTraining(int64_t job, Milliseconds since);
  void MarkStop(int64_t job);

  // Null where there is none; valid until the next change.
  const Lease* Find(int64_t job) const;
  std::vector<int64_t> JobsOf(const std::string& worker) const;
  // Returns the leased jobs on devices that share `memory_pool`.
  std::vector<int64_t> JobsIn(const std::string& memory_pool) const;
  std::unordered_set<std::string> Holders() const;
  // The lease that ends first; null: there is none.
  const Lease* Next() const;
  // The one whose time limit comes first; null: none has a limit.
  const Lease* NextOverLimit() const;
  size_t size() const { return by_job_.size(); }

 private:
  void Limit(int64_t job, Milliseconds limit, Milliseconds trains_since);

  Database& database_;
  std::unordered_map<int64_t, Lease> by_job_;
  std::set<std::pair<Milliseconds, int64_t>> by_end_;
  std::set<std::pair<Milliseconds, int64_t>> by_limit_;
  std::unordered_map<std::string, std::set<int64_t>> by_worker_;
  std::unordered_map<std::string, std::set<int64_t>> by_pool_;
};

}  // namespace mozgach
