// A FleetLife is what people and a worker do with a scheduler whose disk fails: they submit, claim,
// pin, upload, publish, cancel, retry and name versions, at random from one seed, and remember what
// they were told.  The scheduler is the real core on a real database and real files, below a folder
// that the PowerDisk looks after; whenever it starts, everything that was acknowledged has to be
// there, and every invariant has to hold.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/core/core.h"
#include "tests/invariants/invariants.h"

namespace mozgach::power {

class FleetLife {
 public:
  // `root` is looked after.  Nothing has started.
  FleetLife(std::filesystem::path root, uint64_t seed);
  ~FleetLife();

  // One thing: the scheduler starts where it does not run, or somebody asks it for something.
  void Step();
  // The scheduler's process is gone, its disk works again.
  void Die();
  // The same, and what was not synced is there or not.
  void LosePower(uint64_t seed);
  // No fault any more: the queue empties.
  void Heal();

  bool sound() const { return violation_.empty(); }
  const std::string& violation() const { return violation_; }
  int64_t acknowledged() const { return acknowledged_; }
  int64_t published() const { return static_cast<int64_t>(published_.size()); }

 private:
  // An attempt that the worker runs.
  struct Held {
    int64_t attempt = 0;
    v1::Checkpoint checkpoint;
  };

  absl::Status Open();
  void Close();
  void Start();
  void Look();
  void LookAtAcknowledged();
  void LookAtCheckpoints();
  void Fail(const std::string& what);
  // Returns the count of a query with two parameters.
  int64_t Count(const char* sql, int64_t first, int64_t second = 0);
  std::vector<int64_t> OpenJobs();
  uint64_t Draw(uint64_t bound) { return dice_() % bound; }
  void Pass(Milliseconds time);
  void Acknowledge() { ++acknowledged_; }
  // True if the answer reaches the caller, which requires a sync. Sometimes the sync is left out,
  // as if a later one served several callers.
  bool Arrives();

  absl::Status PutBlob(const std::string& bytes);
  absl::Status TryToPutBlob(const std::string& bytes);
  void Submit();
  void Cancel();
  void Retry();
  void SetAlias();
  void Work(bool claims);
  void Finish();
  void FailOne();
  void SaveCheckpoint();
  std::optional<v1::SynchronizeResponse> Call(v1::SynchronizeRequest request);
  v1::SynchronizeRequest Request() const;

  const std::filesystem::path root_;
  std::mt19937_64 dice_;
  SchedulerConfig config_;
  Now now_{FromMillis(1'790'000'000'000), Milliseconds(1'000'000)};
  std::unique_ptr<Database> database_;
  std::unique_ptr<BlobStore> blobs_;
  std::unique_ptr<AdapterStore> adapters_;
  std::unique_ptr<Core> core_;
  Invariants invariants_;
  std::string violation_;
  bool healing_ = false;
  int starts_ = 0;  // failed starts in a row
  std::map<int64_t, Held> held_;

  // What somebody was told.
  int64_t acknowledged_ = 0;
  std::set<std::string> datasets_;
  std::set<std::pair<int64_t, int64_t>> claims_;
  std::map<int64_t, int64_t> published_;                   // the attempt, by job
  std::map<std::string, std::set<int64_t>> may_be_named_;  // versions, by domain
};

}  // namespace mozgach::power
