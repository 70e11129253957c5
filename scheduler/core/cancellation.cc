#include "scheduler/core/cancellation.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "common/domain/domain_spec.h"
#include "failpoint/failpoint.h"
#include "nlohmann/json.hpp"
#include "scheduler/core/job_planning.h"

namespace mozgach {
namespace {

absl::Status CheckRetriable(SchedulerState& state, const Job& job) {
  if (job.state != JobState::kFailed && job.state != JobState::kCancelled) {
    return absl::FailedPreconditionError(
        absl::StrCat("job ", job.job, " of ", job.domain, " is ", Name(job.state),
                     ": only failed and cancelled jobs are retried"));
  }
  ASSIGN_OR_RETURN(const std::optional<int64_t> latest, state.queue.LatestOf(job.domain));
  if (latest != job.job) {
    return absl::FailedPreconditionError(absl::StrCat("job ", job.job, " of ", job.domain,
                                                      " is not its latest: job ", *latest,
                                                      " came after it"));
  }
  ASSIGN_OR_RETURN(const std::vector<v1::Dataset> datasets, state.queue.Datasets(job.job));
  for (const v1::Dataset& dataset : datasets) {
    if (state.blobs.Has(dataset.sha256())) continue;
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

absl::StatusOr<NewJob> CopyOf(SchedulerState& state, const Job& job) {
  NewJob copy;
  ASSIGN_OR_RETURN(const Queue::Details details, state.queue.GetDetails(job.job));
  ASSIGN_OR_RETURN(copy.datasets, state.queue.Datasets(job.job));
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
  ASSIGN_OR_RETURN(copy.memory_settings, SettingsOf(state, job));
  return copy;
}

absl::StatusOr<int64_t> WriteRetry(SchedulerState& state, const Now& now, const Job& job,
                                   const std::string& actor) {
  ASSIGN_OR_RETURN(const NewJob copy, CopyOf(state, job));
  ASSIGN_OR_RETURN(const int64_t shape, ShapeOfNew(state, copy));
  ASSIGN_OR_RETURN(const int64_t number, state.queue.Insert(now.wall, copy, shape));
  RETURN_IF_ERROR(state.events.Append({.time = now.wall,
                                       .job = number,
                                       .domain = job.domain,
                                       .kind = "submitted",
                                       .actor = actor,
                                       .message = absl::StrCat("retry of job ", job.job)}));
  return number;
}

}  // namespace

absl::Status WriteCancel(SchedulerState& state, const Now& now, const Job& job,
                         const std::string& reason, const std::string& actor) {
  bool changed = false;
  if (job.state == JobState::kQueued) {
    Job cancelled = job;
    cancelled.reason = reason;
    ASSIGN_OR_RETURN(changed, state.queue.End(now.wall, cancelled, JobState::kCancelled));
  } else if (job.state == JobState::kRunning) {
    // One that publishes succeeds all the same, unless its staged files are gone.
    ASSIGN_OR_RETURN(changed, state.queue.RequestCancel(job.job, reason));
  }
  if (!changed) return absl::OkStatus();
  return state.events.Append(
      {.time = now.wall,
       .job = job.job,
       .domain = job.domain,
       .attempt = job.attempt,
       .kind = job.state == JobState::kQueued ? "cancelled" : "cancel_requested",
       .actor = actor,
       .message = reason});
}

void AnnounceCancel(SchedulerState& state, const Job& job) {
  if (IsTerminal(job.state)) return;
  state.changes.Touch(job.job);
  if (job.state == JobState::kQueued) {
    ++state.counters.jobs_finished[Name(JobState::kCancelled)];
  } else if (const Lease* lease = state.leases.Find(job.job); lease != nullptr) {
    state.wakeups.workers.insert(lease->worker);
    state.leases.MarkStop(job.job);
  }
}

absl::StatusOr<std::vector<int64_t>> Cancel(SchedulerState& state, const Now& now,
                                            const std::vector<int64_t>& jobs,
                                            bool only_those_that_can, const std::string& actor) {
  const std::string reason = actor.empty() ? "cancelled" : absl::StrCat("cancelled by ", actor);
  std::vector<Job> rows;
  Transaction transaction(state.database);
  RETURN_IF_ERROR(transaction.status());
  for (const int64_t job : jobs) {
    ASSIGN_OR_RETURN(Job row, state.queue.Get(job));
    if (only_those_that_can && IsTerminal(row.state)) continue;
    RETURN_IF_ERROR(CheckCancellable(row));
    RETURN_IF_ERROR(WriteCancel(state, now, row, reason, actor));
    rows.push_back(std::move(row));
  }
  RETURN_IF_ERROR(COMMIT("scheduler.jobs.cancel", transaction));
  std::vector<int64_t> cancelled;
  for (const Job& row : rows) {
    AnnounceCancel(state, row);
    cancelled.push_back(row.job);
  }
  return cancelled;
}

absl::StatusOr<std::vector<int64_t>> Retry(SchedulerState& state, const Now& now,
                                           const std::vector<int64_t>& jobs,
                                           bool only_those_that_can, const std::string& actor) {
  std::vector<int64_t> fresh;
  std::vector<std::string> base_keys;
  Transaction transaction(state.database);
  RETURN_IF_ERROR(transaction.status());
  for (const int64_t number : jobs) {
    ASSIGN_OR_RETURN(const Job job, state.queue.Get(number));
    const absl::Status retriable = CheckRetriable(state, job);
    if (only_those_that_can && absl::IsFailedPrecondition(retriable)) continue;
    RETURN_IF_ERROR(retriable);
    ASSIGN_OR_RETURN(const int64_t next, WriteRetry(state, now, job, actor));
    fresh.push_back(next);
    base_keys.push_back(job.base_key);
  }
  RETURN_IF_ERROR(COMMIT("scheduler.jobs.retry", transaction));
  for (const int64_t job : fresh) state.changes.Touch(job);
  state.wakeups.base_keys.insert(base_keys.begin(), base_keys.end());
  state.counters.jobs_submitted += static_cast<int64_t>(fresh.size());
  return fresh;
}

}  // namespace mozgach
