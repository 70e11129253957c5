// The ProgressCache holds how far each running attempt is, in memory; what is new there goes to
// disk together, in one transaction, about once a second.  Losing it costs a display, never a
// decision.
//
// One thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "scheduler/jobs/attempt.h"

namespace mozgach {

class ProgressCache {
 public:
  struct Entry {
    int64_t attempt = 0;
    std::string domain;
    AttemptProgress progress;
    Milliseconds stepped_at{0};  // when `progress.step` was last another, on the clock since boot
    std::string note;    // what is in the way just now ("publishing waits: the disk is full")
    bool dirty = false;  // not on disk yet
  };

  // Starts an entry for a new attempt, in place of any older one of the job.
  void Start(int64_t job, int64_t attempt, const std::string& domain);
  // True when something people see has changed.
  bool Record(int64_t job, const AttemptProgress& progress, Milliseconds since_boot);
  void Note(int64_t job, const std::string& note);
  void Erase(int64_t job) { entries_.erase(job); }

  // Null where there is none; valid until the next change.
  const Entry* Find(int64_t job) const;
  const std::map<int64_t, Entry>& entries() const { return entries_; }
  bool dirty() const { return dirty_; }

  // Writes what is dirty.  On an error it stays dirty.
  absl::Status Flush(Database& database, Attempts& attempts);

 private:
  std::map<int64_t, Entry> entries_;
  bool dirty_ = false;
};

}  // namespace mozgach
