// The Queue is the jobs as rows.  It knows no leases and no workers; what a write needs to be true
// is in its WHERE, and a write that finds it false changes nothing and says so.
//
// Writes join the transaction that is open.  One thread at a time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "registry/database.h"
#include "scheduler/jobs/job.h"

namespace mozgach {

class Queue {
 public:
  explicit Queue(Database& database) : database_(database) {}

  // Queues a job of `shape` and makes it the latest of its domain; returns its number.
  absl::StatusOr<int64_t> Insert(WallTime now, const NewJob& job, int64_t shape);

  // NOT_FOUND where there is none.
  absl::StatusOr<Job> Get(int64_t job);
  absl::StatusOr<std::optional<int64_t>> LatestOf(const std::string& domain);
  absl::StatusOr<std::vector<int64_t>> Latest();  // the latest job of every domain, by name
  absl::StatusOr<std::vector<int64_t>> Every();
  absl::StatusOr<std::vector<int64_t>> Running();
  absl::StatusOr<std::vector<int64_t>> OfDomain(const std::string& domain);

  absl::StatusOr<std::vector<v1::Dataset>> Datasets(int64_t job);

  struct Details {
    std::string spec_json;
    std::string pinned_json;
    std::string notices_json;
    bool conversations = false;
  };
  absl::StatusOr<Details> GetDetails(int64_t job);
  // What every later attempt is told of.
  absl::Status Pin(int64_t job, const std::string& pinned_json);
  // What does not make it another job: its spec's words, and where it is not `terminal` its terms.
  absl::Status UpdateSpec(int64_t job, const NewJob& job_terms, bool terminal);

  // The notices of the newest submission of an unchanged job.
  absl::Status UpdateNotices(int64_t job, const NewJob& job_terms);

  // What a device can take: JSON objects from base keys to the bytes that a plan may come to.
  struct Offer {
    std::string loaded;    // on the device
    std::string here;      // others on its worker's disk
    std::string to_fetch;  // others
    bool cpu = false;
  };
  // Takes the best ready job of those bases that fits: the highest priority, then one whose base is
  // loaded, then one whose base is here, then the oldest.  It is running then, and its attempt one
  // higher.  The work does not grow with the jobs that wait, only with their shapes.
  absl::StatusOr<std::optional<int64_t>> Claim(WallTime now, const Offer& offer);
  // The job that Claim would take, looked at only.
  struct Waiting {
    int64_t job;
    int64_t priority;
    WallTime queued;
    std::string base_key;
    int64_t needs_bytes;  // on a device of the offer's kind
  };
  absl::StatusOr<std::optional<Waiting>> Best(const Offer& offer);

  // What ready jobs need that want `base_key`, bytes; empty: there are none.
  struct NeedsRange {
    int64_t least_on_cpu, most_on_cpu, least_on_gpu, most_on_gpu;
  };
  absl::StatusOr<std::optional<NeedsRange>> NeedsWaiting(const std::string& base_key);
  // Ready jobs, at most `limit`, from before jobs had shapes.
  absl::StatusOr<std::vector<int64_t>> FromBefore(int64_t limit);
  absl::Status SetShape(int64_t job, int64_t shape);

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
