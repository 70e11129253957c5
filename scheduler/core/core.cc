#include "scheduler/core/core.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "scheduler/core/attempt_life.h"
#include "scheduler/core/job_planning.h"
#include "scheduler/core/publication.h"
#include "scheduler/jobs/staged_submission.h"
#include "scheduler/placement/quarantine.h"
#include "scheduler/state/incarnation.h"

namespace mozgach {
namespace {

constexpr Milliseconds kWriteInterval(1000);
constexpr Milliseconds kRetryInterval(1000);
constexpr Milliseconds kCallsInterval(600000);
constexpr auto kWorkersKept = std::chrono::hours(7 * 24);

}  // namespace

absl::Status Core::Recover(const Now& now) {
  ASSIGN_OR_RETURN(state_.incarnation, Incarnation(state_.database));
  RETURN_IF_ERROR(state_.leases.Recover(now, state_.config.lease));
  RETURN_IF_ERROR(
      state_.worker_table.Recover(now, now.wall - kWorkersKept, state_.leases.Holders()));
  RETURN_IF_ERROR(state_.bases.Recover());
  RETURN_IF_ERROR(state_.configs.Recover(state_.bases, state_.blobs));
  RETURN_IF_ERROR(state_.calibrations.Recover());
  for (bool more = true; more;) {
    ASSIGN_OR_RETURN(more, PlanSomeJobsFromBefore(state_));
  }
  RETURN_IF_ERROR(state_.adapters.Recover());
  ASSIGN_OR_RETURN(const std::vector<int64_t> running, state_.queue.Running());
  for (const int64_t number : running) {
    ASSIGN_OR_RETURN(const Job job, state_.queue.Get(number));
    ASSIGN_OR_RETURN(const std::optional<Attempt> attempt,
                     state_.attempts.Find(number, job.attempt));
    state_.progress.Start(number, job.attempt, job.domain);
    if (attempt.has_value()) state_.progress.Record(number, attempt->progress, now.since_boot);
  }
  RETURN_IF_ERROR(state_.staged.Recover());
  QueueAbandoned(now, /*all=*/true);
  next_write_ = next_due_ = now.since_boot;
  next_calls_write_ = now.since_boot + kCallsInterval;
  Enter(now);
  return absl::OkStatus();
}

void Core::Enter(const Now& now) {
  // A submission may have been abandoned since the next time was planned.
  const bool abandoned = state_.write_error.empty() && state_.staged.FirstAbandoned() != 0;
  if (now.since_boot < next_due_ && !abandoned) return;
  ExpireLeases(now);
  EndWhatRanTooLong(now);
  RemindWorkers(now);
  WakeBackOffs(now);
  Succeeded(ConcludeUnfinished(state_, now), "publish");
  if (state_.adapters.links_behind()) {
    Succeeded(state_.adapters.SetLinksRight(), "set a link right");
  }
  Succeeded(PlanSomeShapes(state_).status(), "plan jobs");
  QueueAbandoned(now, /*all=*/false);
  WriteProgress(now);
  PlanNextDue(now);
}

void Core::QueueAbandoned(const Now& now, bool all) {
  do {
    const int64_t submission = state_.staged.FirstAbandoned();
    if (submission == 0) return;
    const absl::Status status = QueueNextPart(state_, now, submission);
    if (!Succeeded(status, "queue the rest of a submission")) return;
  } while (all);
}

void Core::ExpireLeases(const Now& now) {
  for (const Lease* lease = state_.leases.Next();
       lease != nullptr && lease->expires_at <= now.since_boot; lease = state_.leases.Next()) {
    const std::string message = absl::StrCat("worker ", lease->worker, " has not called for ",
                                             state_.config.lease.count() / 1000.0, " s");
    const Lease expired = *lease;
    if (!Succeeded(EndAttempt(state_, now, expired, FailureClass::kLost, message), "end a lease")) {
      return;
    }
  }
}

void Core::EndWhatRanTooLong(const Now& now) {
  for (const Lease* lease = state_.leases.NextOverLimit();
       lease != nullptr && lease->RunsUntil() <= now.since_boot;
       lease = state_.leases.NextOverLimit()) {
    const Lease over = *lease;
    const auto job = state_.queue.Get(over.job);
    const std::string limit =
        job.ok() ? absl::FormatDuration(absl::Milliseconds(job->time_limit.count())) : "";
    const std::string message = absl::StrCat("trained for longer than its time_limit of ", limit,
                                             " (raise it in the domain file and submit again)");
    if (!Succeeded(EndAttempt(state_, now, over, FailureClass::kUser, message),
                   "end what ran too long")) {
      return;
    }
    state_.wakeups.workers.insert(over.worker);
  }
}

void Core::RemindWorkers(const Now& now) {
  for (const auto& [name, worker] : state_.worker_table.workers()) {
    const bool hands_back = worker.MustHandBack(now.wall) && !state_.leases.JobsOf(name).empty();
    const bool is_free_again = !worker.health.told_it_is_over && !IsQuarantined(worker, now);
    if (is_free_again) state_.worker_table.Find(name)->health.told_it_is_over = true;
    if (hands_back || is_free_again) state_.wakeups.workers.insert(name);
  }
}

void Core::WakeBackOffs(const Now& now) {
  const auto woken = state_.queue.WakeDue(now.wall, now.wall + state_.config.back_off_max);
  if (!Succeeded(woken.status(), "end a back-off")) return;
  state_.wakeups.base_keys.insert(woken->begin(), woken->end());
}

void Core::WriteProgress(const Now& now) {
  if (now.since_boot >= next_write_ && state_.progress.dirty()) {
    Succeeded(state_.progress.Flush(state_.database, state_.attempts), "write progress");
    next_write_ = now.since_boot + kWriteInterval;
  }
  if (now.since_boot >= next_calls_write_) {
    Succeeded(state_.worker_table.SaveCalls(), "write when workers called");
    next_calls_write_ = now.since_boot + kCallsInterval;
  }
}

void Core::PlanNextDue(const Now& now) {
  state_.wake_at = Milliseconds::max();
  const auto back_off = state_.queue.NextDue();
  if (back_off.ok() && back_off->has_value()) {
    state_.wake_at = now.since_boot + (**back_off - now.wall);
  }
  for (const auto& [name, worker] : state_.worker_table.workers()) {
    if (worker.drain && worker.drain_by > now.wall) {
      state_.wake_at = std::min(state_.wake_at, now.since_boot + (worker.drain_by - now.wall));
    }
    if (IsQuarantined(worker, now)) {
      state_.wake_at = std::min(state_.wake_at, worker.health.quarantined_until);
    }
  }
  const auto unfinished = state_.adapters.Unfinished();
  if (!unfinished.ok() || !unfinished->empty()) {
    state_.wake_at = std::min(state_.wake_at, now.since_boot + kRetryInterval);
  }
  next_due_ = next_calls_write_;
  Expect(now);
  // What is overdue because it failed waits a little, and so does a clock that was set.
  const Milliseconds soonest = state_.write_error.empty() ? Milliseconds(1) : kRetryInterval;
  next_due_ = std::max(next_due_, now.since_boot + soonest);
}

void Core::Expect(const Now& now) {
  if (state_.database.stats().commits > state_.write_error_commit) state_.write_error.clear();
  if (!state_.write_error.empty() || state_.adapters.links_behind()) {
    next_due_ = std::min(next_due_, now.since_boot + kRetryInterval);
  }
  next_due_ = std::min(next_due_, state_.wake_at);
  if (const Lease* lease = state_.leases.Next(); lease != nullptr) {
    next_due_ = std::min(next_due_, lease->expires_at);
  }
  if (const Lease* lease = state_.leases.NextOverLimit(); lease != nullptr) {
    next_due_ = std::min(next_due_, lease->RunsUntil());
  }
  if (state_.progress.dirty()) next_due_ = std::min(next_due_, next_write_);
  if (state_.staged.FirstAbandoned() != 0) next_due_ = std::min(next_due_, now.since_boot);
  if (!state_.configs.behind().empty()) next_due_ = std::min(next_due_, now.since_boot);
}

bool Core::Succeeded(const absl::Status& status, const char* action) {
  if (status.ok()) return true;
  if (status.message() != state_.write_error) {
    // The WriteWatch says once that there is a problem, and once that it is over.
    spdlog::debug("cannot {}: {}", action, std::string(status.message()));
  }
  state_.RecordWriteError(status);
  return false;
}

absl::StatusOr<Answer> Core::Synchronize(const Now& now, const v1::SynchronizeRequest& request,
                                         bool held) {
  Enter(now);
  absl::StatusOr<Answer> answer = WorkerCall(state_, now, request, held).Run();
  Expect(now);
  return answer;
}

absl::StatusOr<v1::SubmitResponse> Core::Submit(const Now& now, const v1::SubmitRequest& request,
                                                absl::Span<const CheckedSubmission> submissions) {
  Enter(now);
  return mozgach::Submit(state_, now, request, submissions);
}

Wakeups Core::TakeWakeups() {
  Wakeups taken;
  std::swap(taken, state_.wakeups);
  return taken;
}

}  // namespace mozgach
