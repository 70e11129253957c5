// The Queue is the jobs as rows.  It knows no leases and no workers; what a write needs to be true
// is in its WHERE, and a write that finds it false changes nothing and says so.
//
// Writes join the transaction that is open.  One thread at a time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "registry/database.h"
#include "scheduler/job.h"

namespace mozgach {

class Queue {
 public:
  explicit Queue(Database& database) : database_(database) {}

  // Queues a job and makes it the latest of its domain; returns its number.
  absl::StatusOr<int64_t> Insert(WallTime now, const NewJob& job);

  // NOT_FOUND where there is none.
  absl::StatusOr<Job> Get(int64_t job);
  absl::StatusOr<std::optional<int64_t>> LatestOf(const std::string& domain);
  absl::StatusOr<std::vector<int64_t>> Latest();  // of every domain, by name
  absl::StatusOr<std::vector<int64_t>> Every();
  absl::StatusOr<std::vector<int64_t>> Running();
  absl::StatusOr<std::vector<int64_t>> OfDomain(const std::string& domain);

  absl::StatusOr<std::vector<v1::Dataset>> Datasets(int64_t job);
  // What some job's dataset needs stays in the blob store.
  absl::StatusOr<bool> IsDataset(const std::string& sha256);

  struct Details {
    std::string spec_json;
    std::string pinned_json;
  };
  absl::StatusOr<Details> GetDetails(int64_t job);
  // What every later attempt is told of.
  absl::Status Pin(int64_t job, const std::string& pinned_json);
  absl::Status UpdateSpec(int64_t job, int64_t priority, const std::string& spec_json,
                          bool terminal);

  // What a worker can take: JSON lists of base keys.
  struct Offer {
    std::string here;
    std::string loaded;    // of those that are here
    std::string to_fetch;  // of others
  };
  // Takes the best ready job out of those bases: the highest priority, then one whose base is
  // loaded, then one whose base is here, then the oldest.  It is running then, and its attempt one
  // higher.
  struct Claimed {
    int64_t job;
    int64_t attempt;
  };
  absl::StatusOr<std::optional<Claimed>> Claim(WallTime now, const Offer& offer);
  absl::StatusOr<bool> HasReady(const std::string& base_key);

  // running → queued, in its old place.  `job` carries the new counts, reason and not_before
  // (epoch: at once).  False when the attempt is not the running one any more.
  absl::StatusOr<bool> Requeue(WallTime now, const Job& job);
  // → `end`, which is terminal.  `job` carries the state it is in, the counts, reason and version.
  absl::StatusOr<bool> End(WallTime now, const Job& job, JobState end);
  // True when it was running and not asked before.
  absl::StatusOr<bool> RequestCancel(int64_t job, const std::string& reason);

  // Makes the jobs claimable whose back-off is over, or that wait for a time further away than
  // `latest` (the clock was set back); returns the base keys they want.
  absl::StatusOr<std::vector<std::string>> WakeDue(WallTime now, WallTime latest);
  // When the next back-off is over; empty: nothing backs off.
  absl::StatusOr<std::optional<WallTime>> NextDue();

  absl::StatusOr<int64_t> Count(JobState state);

 private:
  absl::StatusOr<std::vector<int64_t>> Numbers(const char* sql);

  Database& database_;
};

}  // namespace mozgach
