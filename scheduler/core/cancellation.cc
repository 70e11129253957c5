#include "scheduler/core/cancellation.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "common/domain/domain_spec.h"
#include "failpoint/failpoint.h"
#include "nlohmann/json.hpp"
#include "scheduler/core/job_planning.h"

namespace mozgach {
namespace {

absl::Status CheckRetriable(Ledger& ledger, const Job& job) {
  if (job.state != JobState::kFailed && job.state != JobState::kCancelled) {
    return absl::FailedPreconditionError(
        absl::StrCat("job ", job.job, " of ", job.domain, " is ", Name(job.state),
                     ": only failed and cancelled jobs are retried"));
  }
  ASSIGN_OR_RETURN(const std::optional<int64_t> latest, ledger.queue.LatestOf(job.domain));
  if (latest != job.job) {
    return absl::FailedPreconditionError(absl::StrCat("job ", job.job, " of ", job.domain,
                                                      " is not its latest: job ", *latest,
                                                      " came after it"));
  }
  ASSIGN_OR_RETURN(const std::vector<v1::Dataset> datasets, ledger.queue.Datasets(job.job));
  for (const v1::Dataset& dataset : datasets) {
    if (ledger.blobs.Has(dataset.sha256())) continue;
    return absl::FailedPreconditionError(absl::StrCat("dataset ", dataset.name(), " of job ",
                                                      job.job, " is not here any more: submit ",
                                                      job.domain, " again"));
  }
  return absl::OkStatus();
}

absl::Status CheckCancellable(const Job& job) {
  if (!IsTerminal(job.state) || job.state == JobState::kCancelled) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("job ", job.job, " of ", job.domain,
                                                    " is over already: ", Name(job.state),
                                                    "; nothing was cancelled, leave it out"));
}

absl::StatusOr<NewJob> CopyOf(Ledger& ledger, const Job& job) {
  NewJob copy;
  ASSIGN_OR_RETURN(const Queue::Details details, ledger.queue.GetDetails(job.job));
  ASSIGN_OR_RETURN(copy.datasets, ledger.queue.Datasets(job.job));
  copy.domain = job.domain;
  copy.base = job.base;
  if (job.base_key.size() > job.base.size()) {
    copy.revision = job.base_key.substr(job.base.size() + 1);
  }
  copy.priority = job.priority;
  copy.time_limit = job.time_limit;
  copy.spec_json = details.spec_json;
  copy.notices_json = details.notices_json;
  copy.conversations = details.conversations;
  copy.spec_digest = job.spec_digest;
  copy.dataset_digest = job.dataset_digest;
  copy.retry_of = job.job;
  ASSIGN_OR_RETURN(copy.memory_settings, SettingsOf(ledger, job));
  return copy;
}

absl::StatusOr<int64_t> WriteRetry(Ledger& ledger, const Now& now, const Job& job,
                                   const std::string& actor) {
  ASSIGN_OR_RETURN(const NewJob copy, CopyOf(ledger, job));
  ASSIGN_OR_RETURN(const int64_t shape, ShapeOfNew(ledger, copy));
  ASSIGN_OR_RETURN(const int64_t number, ledger.queue.Insert(now.wall, copy, shape));
  RETURN_IF_ERROR(ledger.events.Append({.time = now.wall,
                                        .job = number,
                                        .domain = job.domain,
                                        .kind = "submitted",
                                        .actor = actor,
                                        .message = absl::StrCat("retry of job ", job.job)}));
  return number;
}

}  // namespace

absl::Status WriteCancel(Ledger& ledger, const Now& now, const Job& job, const std::string& reason,
                         const std::string& actor) {
  bool changed = false;
  if (job.state == JobState::kQueued) {
    Job cancelled = job;
    cancelled.reason = reason;
    ASSIGN_OR_RETURN(changed, ledger.queue.End(now.wall, cancelled, JobState::kCancelled));
  } else if (job.state == JobState::kRunning) {
    // One that publishes succeeds all the same, unless its staged files are gone.
    ASSIGN_OR_RETURN(changed, ledger.queue.RequestCancel(job.job, reason));
  }
  if (!changed) return absl::OkStatus();
  return ledger.events.Append(
      {.time = now.wall,
       .job = job.job,
       .domain = job.domain,
       .attempt = job.attempt,
       .kind = job.state == JobState::kQueued ? "cancelled" : "cancel_requested",
       .actor = actor,
       .message = reason});
}

void AnnounceCancel(Ledger& ledger, const Job& job) {
  if (IsTerminal(job.state)) return;
  ledger.changes.Touch(job.job);
  if (job.state == JobState::kQueued) {
    ++ledger.counters.jobs_finished[Name(JobState::kCancelled)];
  } else if (const Lease* lease = ledger.leases.Find(job.job); lease != nullptr) {
    ledger.wakeups.workers.insert(lease->worker);
    ledger.leases.MarkStop(job.job);
  }
}

absl::StatusOr<std::vector<int64_t>> Cancel(Ledger& ledger, const Now& now,
                                            const std::vector<int64_t>& jobs,
                                            bool only_those_that_can, const std::string& actor) {
  const std::string reason = actor.empty() ? "cancelled" : absl::StrCat("cancelled by ", actor);
  std::vector<Job> rows;
  Transaction transaction(ledger.database);
  RETURN_IF_ERROR(transaction.status());
  for (const int64_t job : jobs) {
    ASSIGN_OR_RETURN(Job row, ledger.queue.Get(job));
    if (only_those_that_can && IsTerminal(row.state)) continue;
    RETURN_IF_ERROR(CheckCancellable(row));
    RETURN_IF_ERROR(WriteCancel(ledger, now, row, reason, actor));
    rows.push_back(std::move(row));
  }
  RETURN_IF_ERROR(COMMIT("scheduler.jobs.cancel", transaction));
  std::vector<int64_t> cancelled;
  for (const Job& row : rows) {
    AnnounceCancel(ledger, row);
    cancelled.push_back(row.job);
  }
  return cancelled;
}

absl::StatusOr<std::vector<int64_t>> Retry(Ledger& ledger, const Now& now,
                                           const std::vector<int64_t>& jobs,
                                           bool only_those_that_can, const std::string& actor) {
  std::vector<int64_t> fresh;
  std::vector<std::string> base_keys;
  Transaction transaction(ledger.database);
  RETURN_IF_ERROR(transaction.status());
  for (const int64_t number : jobs) {
    ASSIGN_OR_RETURN(const Job job, ledger.queue.Get(number));
    const absl::Status retriable = CheckRetriable(ledger, job);
    if (only_those_that_can && absl::IsFailedPrecondition(retriable)) continue;
    RETURN_IF_ERROR(retriable);
    ASSIGN_OR_RETURN(const int64_t next, WriteRetry(ledger, now, job, actor));
    fresh.push_back(next);
    base_keys.push_back(job.base_key);
  }
  RETURN_IF_ERROR(COMMIT("scheduler.jobs.retry", transaction));
  for (const int64_t job : fresh) ledger.changes.Touch(job);
  ledger.wakeups.base_keys.insert(base_keys.begin(), base_keys.end());
  ledger.counters.jobs_submitted += static_cast<int64_t>(fresh.size());
  return fresh;
}

}  // namespace mozgach
