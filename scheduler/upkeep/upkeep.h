// Upkeep applies the rules of retention.h from time to time, in a thread of its own, and when
// somebody asks; and it checks.  Thread-safe.
#pragma once

#include <filesystem>
#include <string>
#include <thread>

#include "common/mutex.h"
#include "scheduler/executor/core_executor.h"
#include "scheduler/upkeep/consistency_check.h"
#include "scheduler/upkeep/retention.h"

namespace mozgach {

class Upkeep {
 public:
  // `data` is the scheduler's data directory.  The executor and the clock outlive it.
  Upkeep(CoreExecutor& executor, std::filesystem::path data, const Clock& clock);
  // Ends within one step of a collection.
  ~Upkeep();

  // A collection that is under way ends after its step; no other begins.
  void Stop() { stop_.request_stop(); }

  // What went or, in a dry run, would go.  UNAVAILABLE while another one is under way.
  absl::StatusOr<Collection> Collect(bool dry_run, const std::string& actor);
  // UNAVAILABLE while another one is under way.
  absl::StatusOr<ConsistencyCheck> CheckConsistency(bool deep);

 private:
  // One short turn at the executor, and then a pause, so that others have theirs.
  absl::Status TakeTurn(const Retention::Step& step);
  void Run(std::stop_token stop);

  CoreExecutor& executor_;
  const std::filesystem::path data_;
  const Clock& clock_;
  const Milliseconds interval_;
  const int64_t blob_days_kept_;
  Retention retention_;
  Mutex collecting_;  // held while one collection runs
  Mutex checking_;    // held while one check runs
  std::stop_source stop_;
  std::jthread thread_;
};

}  // namespace mozgach
