// Counters are what the core has done since it started, for /metrics.  Plain values; one thread at
// a time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace mozgach {

// Counts of observations at or below each bound, as Prometheus wants them.
struct Histogram {
  explicit Histogram(std::vector<double> upper_bounds)
      : bounds(std::move(upper_bounds)), counts(bounds.size() + 1) {}

  void Observe(double value);

  std::vector<double> bounds;
  std::vector<uint64_t> counts;  // not cumulative; the last one is of what is above every bound
  double sum = 0;
};

struct Counters {
  int64_t jobs_submitted = 0;
  int64_t stale_reports = 0;
  int64_t leases_expired = 0;
  int64_t claims = 0;
  int64_t write_problems = 0;                     // times that nothing could be stored
  int64_t affinity_hits = 0;                      // claims whose base was loaded already
  std::map<std::string, int64_t> attempts_ended;  // by class; "succeeded", "cancelled", …
  std::map<std::string, int64_t> jobs_finished;   // by final state
  std::map<std::string, int64_t> publishes;       // by result: published, cancelled, refused, error
  Histogram queue_wait_seconds{{0.01, 0.1, 1, 10, 60, 600, 3600, 6 * 3600, 24 * 3600}};
  // Measured by the executor of the core.
  Histogram claim_seconds{{0.0001, 0.00015, 0.0002, 0.0003, 0.0004, 0.0005, 0.0007, 0.001, 0.002,
                           0.005, 0.01, 0.05, 0.1, 1}};
  Histogram publish_seconds{{0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30}};
};

}  // namespace mozgach
