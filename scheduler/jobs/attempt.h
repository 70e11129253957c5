// An Attempt is one lease of a job to one worker, as its row says it: kept for good, so that a job
// can tell how it went.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "registry/database.h"

namespace mozgach {

// How far an attempt is; also kept in memory while it runs (progress_cache.h).
struct AttemptProgress {
  std::string device;
  std::string phase;  // preparing | training | evaluating | uploading
  int64_t step = 0;
  int64_t steps = 0;
  std::optional<double> loss;       // running mean (trainer/train/loss_mean.h)
  std::optional<double> step_loss;  // the loss of the last step alone
  std::optional<double> eval_loss;  // the newest on the validation rows
  double tokens_per_second = 0;
  uint64_t memory_peak_bytes = 0;
  uint64_t memory_planned_bytes = 0;
};

struct Attempt {
  int64_t job = 0;
  int64_t attempt = 0;
  std::string worker;
  std::string state;  // running | publishing | succeeded | failed | lost | stopped | cancelled
  std::string failure_class;
  std::string message;
  WallTime started{};
  WallTime ended{};  // epoch: not yet
  AttemptProgress progress;
  int64_t train_rows = 0;
  double train_seconds = 0;
};

// Writes join the open transaction.  One thread at a time.
class Attempts {
 public:
  explicit Attempts(Database& database) : database_(database) {}

  absl::Status Insert(WallTime now, int64_t job, int64_t attempt, const std::string& worker);
  // Empty where there is none.
  absl::StatusOr<std::optional<Attempt>> Find(int64_t job, int64_t attempt);
  absl::StatusOr<std::vector<Attempt>> OfJob(int64_t job);

  // `from` → `state`; false when it was not in `from`.
  absl::StatusOr<bool> End(WallTime now, int64_t job, int64_t attempt, const char* from,
                           const char* state, const std::string& failure_class,
                           const std::string& message);
  // running → publishing: from here on nobody else's word counts.  False when it was not running.
  absl::StatusOr<bool> BeginPublishing(int64_t job, int64_t attempt, int64_t train_rows,
                                       double train_seconds);
  absl::Status RecordProgress(int64_t job, int64_t attempt, const AttemptProgress& progress);

 private:
  Database& database_;
};

}  // namespace mozgach
