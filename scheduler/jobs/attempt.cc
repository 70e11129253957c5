#include "scheduler/jobs/attempt.h"

#include "registry/query.h"
#include "scheduler/queries.h"

namespace mozgach {
namespace sql = scheduler_sql;
namespace {

Attempt AttemptFrom(const Query& row) {
  Attempt attempt;
  attempt.job = row.Int(0);
  attempt.attempt = row.Int(1);
  attempt.worker = row.Text(2);
  attempt.progress.device = row.Text(3);
  attempt.state = row.Text(4);
  attempt.failure_class = row.Text(5);
  attempt.message = row.Text(6);
  attempt.started = FromMillis(row.Int(7));
  attempt.ended = FromMillis(row.Int(8));
  attempt.progress.phase = row.Text(9);
  attempt.progress.step = row.Int(10);
  attempt.progress.steps = row.Int(11);
  if (!row.IsNull(12)) attempt.progress.loss = row.Real(12);
  attempt.progress.tokens_per_second = row.Real(13);
  attempt.progress.memory_peak_bytes = static_cast<uint64_t>(row.Int(14));
  attempt.train_rows = row.Int(15);
  attempt.train_seconds = row.Real(16);
  attempt.progress.memory_planned_bytes = static_cast<uint64_t>(row.Int(17));
  if (!row.IsNull(18)) attempt.progress.step_loss = row.Real(18);
  if (!row.IsNull(19)) attempt.progress.eval_loss = row.Real(19);
  return attempt;
}

}  // namespace

absl::Status Attempts::Insert(WallTime now, int64_t job, int64_t attempt,
                              const std::string& worker) {
  return Run(database_, sql::kInsertAttempt, job, attempt, worker, ToMillis(now));
}

absl::StatusOr<std::optional<Attempt>> Attempts::Find(int64_t job, int64_t attempt) {
  Query row(database_, sql::kAttempt, job, attempt);
  if (row.Next()) return std::optional<Attempt>(AttemptFrom(row));
  RETURN_IF_ERROR(row.status());
  return std::optional<Attempt>();
}

absl::StatusOr<std::vector<Attempt>> Attempts::OfJob(int64_t job) {
  std::vector<Attempt> attempts;
  Query rows(database_, sql::kAttemptsOfJob, job);
  while (rows.Next()) attempts.push_back(AttemptFrom(rows));
  RETURN_IF_ERROR(rows.status());
  return attempts;
}

absl::StatusOr<bool> Attempts::End(WallTime now, int64_t job, int64_t attempt, const char* from,
                                   const char* state, const std::string& failure_class,
                                   const std::string& message) {
  return RunGuarded(database_, sql::kEndAttempt, job, attempt, state, ToMillis(now), failure_class,
                    message, from);
}

absl::StatusOr<bool> Attempts::BeginPublishing(int64_t job, int64_t attempt, int64_t train_rows,
                                               double train_seconds) {
  return RunGuarded(database_, sql::kBeginPublishing, job, attempt, train_rows, train_seconds);
}

absl::Status Attempts::RecordProgress(int64_t job, int64_t attempt, const AttemptProgress& p) {
  return Run(database_, sql::kRecordProgress, job, attempt, p.device, p.phase, p.step, p.steps,
             p.loss, p.tokens_per_second, p.memory_peak_bytes, p.memory_planned_bytes, p.step_loss,
             p.eval_loss);
}

}  // namespace mozgach
