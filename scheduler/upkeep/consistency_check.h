// A ConsistencyCheck compares a scheduler's database with its files: rows, versions, links, blobs.
//
// It only reads, on its own connection, so that it can check a data directory whose scheduler runs,
// is down or cannot start. A change that a running scheduler makes may look wrong for a moment: a
// finding is reported only if two scans both see it. Thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "common/clock.h"
#include "registry/database.h"
#include "scheduler/jobs/config.h"
#include "scheduler/upkeep/finding.h"

namespace mozgach {

struct ConsistencyCheckOptions {
  std::filesystem::path data;
  bool deep = false;  // read every byte of every version and of every blob that is needed
  int64_t blob_days_kept = SchedulerConfig().blob_days_kept;  // as configured, if known
};

struct ConsistencyCheck {
  std::vector<Finding> findings;  // problems first
  int64_t schema = 0;
  int64_t jobs = 0;
  int64_t versions = 0;  // looked at
  int64_t files = 0;     // files of versions
  int64_t blobs = 0;

  bool HasProblems() const;
};

// What cannot be looked at is a finding too.
ConsistencyCheck CheckConsistency(const ConsistencyCheckOptions& options, WallTime now);
// The same twice where the first has findings; only those of both.
ConsistencyCheck CheckConsistencyTwice(const ConsistencyCheckOptions& options, const Clock& clock);

// The parts.  Each adds to `check`; `database` has today's schema.
absl::Status CheckRows(Database& database, WallTime now, ConsistencyCheck& check);
absl::Status CheckRegistry(Database& database, const ConsistencyCheckOptions& options,
                           ConsistencyCheck& check);
absl::Status CheckBlobs(Database& database, const ConsistencyCheckOptions& options, WallTime now,
                        ConsistencyCheck& check);
void CheckDisk(const ConsistencyCheckOptions& options, ConsistencyCheck& check);

// Whether a disk of so many bytes has too few left.
bool IsNearlyFull(uint64_t free, uint64_t total);

}  // namespace mozgach
