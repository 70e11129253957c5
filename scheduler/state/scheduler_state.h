// SchedulerState is everything the core's operations work on: rows, files and what is kept in
// memory.
//
// An operation decides, writes in one transaction, and changes memory only once that is committed;
// a failed write leaves both as they were.  One thread at a time.
#pragma once

#include <string>

#include "registry/adapter_store.h"
#include "registry/blob_store.h"
#include "registry/database.h"
#include "scheduler/jobs/attempt.h"
#include "scheduler/jobs/calibration.h"
#include "scheduler/jobs/checkpoint_rows.h"
#include "scheduler/jobs/config.h"
#include "scheduler/jobs/event_log.h"
#include "scheduler/jobs/job_shape.h"
#include "scheduler/jobs/lease.h"
#include "scheduler/jobs/queue.h"
#include "scheduler/jobs/staged_submission.h"
#include "scheduler/state/base_catalog.h"
#include "scheduler/state/base_config.h"
#include "scheduler/state/change_feed.h"
#include "scheduler/state/counters.h"
#include "scheduler/state/progress_cache.h"
#include "scheduler/state/wakeups.h"
#include "scheduler/state/worker_table.h"

namespace mozgach {

struct SchedulerState {
  SchedulerState(const SchedulerConfig& config_in, Database& database_in, BlobStore& blobs_in,
                 AdapterStore& adapters_in)
      : config(config_in),
        database(database_in),
        blobs(blobs_in),
        adapters(adapters_in),
        queue(database_in),
        attempts(database_in),
        leases(database_in),
        worker_table(database_in, config_in.workers_max),
        bases(database_in),
        configs(database_in),
        shapes(database_in),
        calibrations(database_in),
        checkpoints(database_in),
        events(database_in),
        staged(database_in) {}

  const SchedulerConfig config;
  Database& database;
  BlobStore& blobs;
  AdapterStore& adapters;
  Queue queue;
  Attempts attempts;
  Leases leases;
  WorkerTable worker_table;
  BaseCatalog bases;
  BaseConfigs configs;
  Shapes shapes;
  Calibrations calibrations;
  CheckpointRows checkpoints;
  EventLog events;
  StagedSubmissions staged;
  ProgressCache progress;
  ChangeFeed changes;
  Wakeups wakeups;
  Counters counters;

  uint64_t incarnation = 0;  // restoration.h

  // Why the last write failed (a full disk); empty once one has succeeded again.
  std::string write_error;
  int64_t write_error_commit = 0;  // the number of commits before it
  void RecordWriteError(const absl::Status& status) {
    write_error = last_write_error = std::string(status.message());
    write_error_commit = database.stats().commits;
    ++write_errors;
  }
  std::string last_write_error;
  int64_t write_errors = 0;

  // What went wrong so far with what is stored, of all requests.
  struct Failures {
    int64_t write_errors = 0;
    int64_t of_database = 0;
  };
  Failures failures() const { return {write_errors, database.stats().file_failures}; }
  // The last failure; empty: there was none after `seen`.
  std::string FailureAfter(const Failures& seen) const {
    if (database.stats().file_failures > seen.of_database) return database.last_file_failure();
    return write_errors > seen.write_errors ? last_write_error : "";
  }
  // As the WriteWatch found last: why nothing can be stored safely (empty: it can), and the
  // failures that lie behind.
  std::string write_problem;
  Failures failures_over;
  std::string WhyNotWritable() const {
    const std::string failure = FailureAfter(failures_over);
    return !write_problem.empty() ? write_problem : !failure.empty() ? failure : write_error;
  }
  // Since boot: a back-off is over then.
  Milliseconds wake_at = Milliseconds::max();
};

}  // namespace mozgach
