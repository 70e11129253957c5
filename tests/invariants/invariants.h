// Invariants are what has to hold of a fleet whatever befalls it, read from the scheduler's
// database and its registry alone: a simulation asks after every few calls, a test with real
// processes asks with `check_invariants` (main.cc).
//
//   attempts    a job has at most one open attempt, the latest; attempts are 1, 2, 3… without a gap
//               and without a repetition; a lease is there exactly while the attempt may write
//   versions    at most one for a job, made by the attempt it names, and at most one for each
//   change
//               of a domain; a directory that can be seen is whole, byte for byte as its manifest
//               and its rows say, and no other is to be seen
//   jobs        none that was accepted is lost; each ends in one state, and that never changes; one
//               that is over may go, when it is not its domain's latest, and its number with it
//   cancels     one that was confirmed ends in `cancelled`, or in the success that came first
//   placement   a worker that drains gets no job; a job that backs off is not given out before
//   memory      what is kept free for a job is no more than its device has
//   counts      those that are kept beside the jobs are right
//
// An object remembers what it has seen, so that what may never change is held against it.  It
// writes nothing.  One thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "registry/database.h"

namespace mozgach {

struct InvariantOptions {
  // The scheduler's back_off; 0: not checked, because the wall clock may have jumped.
  int64_t back_off_ms = 1000;
};

class Invariants {
 public:
  // `registry` holds adapters/ and staging/.
  Invariants(std::filesystem::path registry, InvariantOptions options)
      : registry_(std::move(registry)), options_(options) {}

  // What does not hold, one line each; empty: all is well.
  std::vector<std::string> Check(Database& database);
  // And nothing is left to do: every job is over, nothing is leased, published half or staged.
  // Reads every byte of every version again.
  std::vector<std::string> CheckAtRest(Database& database);

  // What a device has, where a test knows it.
  void HasMemory(const std::string& worker, const std::string& device, int64_t bytes) {
    memory_[{worker, device}] = bytes;
  }

  // A submit that named this job was answered, and so was a cancel.
  void Accepted(int64_t job) { accepted_.insert(job); }
  // `publishing`: the attempt that published at that moment; 0: none did.
  void Cancelled(int64_t job, int64_t publishing) { cancelled_.emplace(job, publishing); }
  // The database is that of an earlier time; directories of versions that it does not know may be
  // there, whole.
  void Restored(Database& database);

  int64_t jobs_seen() const { return static_cast<int64_t>(jobs_.size()); }

 private:
  struct Seen {
    std::string domain;
    std::string state;
    int64_t attempt = 0;
    int64_t version = 0;
    std::string spec_digest;
    std::string dataset_digest;
    int64_t finished_ms = 0;
    bool operator==(const Seen&) const = default;
  };

  // Each adds to problems_.
  void CheckJobs(Database& database);
  void CheckGone(Database& database, const std::set<int64_t>& there);
  void CheckAgainstMemory(int64_t job, const Seen& was, const Seen& is);
  void CheckAttempts(Database& database);
  void CheckBackOffs(Database& database);
  void CheckMemory(Database& database);
  void CheckEvents(Database& database);
  void CheckVersionRows(Database& database);
  void CheckChanges();
  void CheckDirectories(Database& database);
  void CheckCounts(Database& database);
  void Forbid(Database& database, const char* sql, const std::string& what);
  void Problem(std::string text) { problems_.push_back(std::move(text)); }

  const std::filesystem::path registry_;
  const InvariantOptions options_;
  std::vector<std::string> problems_;
  std::map<int64_t, Seen> jobs_;
  std::set<int64_t> gone_;  // jobs that were over and have been removed
  std::set<int64_t> accepted_;
  std::map<int64_t, int64_t> cancelled_;
  int64_t last_event_ = 0;
  std::map<int64_t, int64_t> claimed_;  // the attempt of each job's last claim, by events
  std::set<int64_t> over_;              // by events
  std::map<std::pair<std::string, std::string>, int64_t> memory_;  // by worker and device
  std::set<std::string> draining_;                                 // workers, by events
  std::set<std::string> verified_;                                 // directories, "domain/v0001"
  bool restored_ = false;
};

}  // namespace mozgach
