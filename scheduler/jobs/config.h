// The scheduler's configuration: bounds and times, with defaults that suit a small fleet.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/status.h"

namespace mozgach {

struct SchedulerConfig {
  // How long a worker may be silent before its jobs go to others.
  Milliseconds lease{30000};
  // Counted failures (out of memory and the like) after which a job has failed.
  int64_t failures_max = 3;
  // Infrastructure failures and lost leases after which even those end a job.
  int64_t disturbances_max = 100;
  // A job waits back_off · 2^n after its n-th infrastructure failure, at most back_off_max.
  Milliseconds back_off{1000};
  Milliseconds back_off_max{60000};
  // So many domains that fail on one worker, with nothing that succeeds between, send the worker
  // into quarantine for so long, twice as long each time in a row.  0 domains: never.
  int64_t quarantine_domains = 3;
  Milliseconds quarantine{600000};
  // How often a working worker is asked to call.
  Milliseconds call_interval{1000};
  uint64_t blob_bytes_max = UINT64_C(64) << 30;  // the largest shard of a base, say
  // What uploads leave free on the disk of --data, or a twentieth of the disk where that is less.
  uint64_t disk_reserve_bytes = UINT64_C(1) << 30;
  uint64_t log_bytes_max = UINT64_C(16) << 20;  // log of one attempt
  // What is kept how long (retention.h, docs/upkeep.md); what is needed stays whatever these say.
  // How long blobs stay that nothing needs and that were not uploaded again.
  int64_t blob_days_kept = 7;
  int64_t versions_kept = 0;    // the newest of each domain, and those with an alias; 0: all
  int64_t job_days_kept = 365;  // since a job was over; 0: for ever, as below
  int64_t event_days_kept = 365;
  int64_t log_days_kept = 90;                 // logs of attempts, counted from the end of their job
  Milliseconds retention_interval{3600'000};  // 0: only when it is asked for
  int64_t workers_max = 20000;
  // Sustained rate of calls per identity on a TLS port; bursts of five times as many after a pause.
  double calls_per_second_max = 1000;
  // As the flags of these names, which go before them.
  std::string tls;
  bool insecure_plaintext = false;
  // Names, other than this host's, by which --http may be called: common/web/web_hosts.h.
  std::vector<std::string> http_allowed_hosts;

  // The longest that a call is held open.
  Milliseconds WaitMax() const { return lease / 3; }
};

// Reads a YAML file with keys like `lease_seconds: 30` and `tls: DIR`; absent keys keep their
// defaults.
// INVALID_ARGUMENT: "path:line:column: what is wrong".
absl::StatusOr<SchedulerConfig> ReadSchedulerConfig(const std::filesystem::path& path);

}  // namespace mozgach
