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
  ASSIGN_OR_RETURN(ledger_.incarnation, Incarnation(ledger_.database));
  RETURN_IF_ERROR(ledger_.leases.Recover(now, ledger_.config.lease));
  RETURN_IF_ERROR(
      ledger_.worker_table.Recover(now, now.wall - kWorkersKept, ledger_.leases.Holders()));
  RETURN_IF_ERROR(ledger_.bases.Recover());
  RETURN_IF_ERROR(ledger_.configs.Recover(ledger_.bases, ledger_.blobs));
  RETURN_IF_ERROR(ledger_.calibrations.Recover());
  for (bool more = true; more;) {
    ASSIGN_OR_RETURN(more, PlanSomeJobsFromBefore(ledger_));
  }
  RETURN_IF_ERROR(ledger_.adapters.Recover());
  ASSIGN_OR_RETURN(const std::vector<int64_t> running, ledger_.queue.Running());
  for (const int64_t number : running) {
    ASSIGN_OR_RETURN(const Job job, ledger_.queue.Get(number));
    ASSIGN_OR_RETURN(const std::optional<Attempt> attempt,
                     ledger_.attempts.Find(number, job.attempt));
    ledger_.progress.Start(number, job.attempt, job.domain);
    if (attempt.has_value()) ledger_.progress.Record(number, attempt->progress, now.since_boot);
  }
  RETURN_IF_ERROR(ledger_.staged.Recover());
  QueueAbandoned(now, /*all=*/true);
  next_write_ = next_due_ = now.since_boot;
  next_calls_write_ = now.since_boot + kCallsInterval;
  Enter(now);
  return absl::OkStatus();
}

void Core::Enter(const Now& now) {
  // A submission may have been abandoned since the next time was planned.
  const bool abandoned = ledger_.write_error.empty() && ledger_.staged.FirstAbandoned() != 0;
  if (now.since_boot < next_due_ && !abandoned) return;
  ExpireLeases(now);
  EndWhatRanTooLong(now);
  RemindWorkers(now);
  WakeBackOffs(now);
  Succeeded(ConcludeUnfinished(ledger_, now), "publish");
  if (ledger_.adapters.links_behind()) {
    Succeeded(ledger_.adapters.SetLinksRight(), "set a link right");
  }
  Succeeded(PlanSomeShapes(ledger_).status(), "plan jobs");
  QueueAbandoned(now, /*all=*/false);
  WriteProgress(now);
  PlanNextDue(now);
}

void Core::QueueAbandoned(const Now& now, bool all) {
  do {
    const int64_t submission = ledger_.staged.FirstAbandoned();
    if (submission == 0) return;
    const absl::Status status = QueueNextPart(ledger_, now, submission);
    if (!Succeeded(status, "queue the rest of a submission")) return;
  } while (all);
}

void Core::ExpireLeases(const Now& now) {
  for (const Lease* lease = ledger_.leases.Next();
       lease != nullptr && lease->expires_at <= now.since_boot; lease = ledger_.leases.Next()) {
    const std::string message = absl::StrCat("worker ", lease->worker, " has not called for ",
                                             ledger_.config.lease.count() / 1000.0, " s");
    const Lease expired = *lease;
    if (!Succeeded(EndAttempt(ledger_, now, expired, FailureClass::kLost, message),
                   "end a lease")) {
      return;
    }
  }
}

void Core::EndWhatRanTooLong(const Now& now) {
  for (const Lease* lease = ledger_.leases.NextOverLimit();
       lease != nullptr && lease->RunsUntil() <= now.since_boot;
       lease = ledger_.leases.NextOverLimit()) {
    const Lease over = *lease;
    const auto job = ledger_.queue.Get(over.job);
    const std::string limit =
        job.ok() ? absl::FormatDuration(absl::Milliseconds(job->time_limit.count())) : "";
    const std::string message = absl::StrCat("trained for longer than its time_limit of ", limit,
                                             " (raise it in the domain file and submit again)");
    if (!Succeeded(EndAttempt(ledger_, now, over, FailureClass::kUser, message),
                   "end what ran too long")) {
      return;
    }
    ledger_.wakeups.workers.insert(over.worker);
  }
}

void Core::RemindWorkers(const Now& now) {
  for (const auto& [name, worker] : ledger_.worker_table.workers()) {
    const bool hands_back = worker.MustHandBack(now.wall) && !ledger_.leases.JobsOf(name).empty();
    const bool is_free_again = !worker.health.told_it_is_over && !IsQuarantined(worker, now);
    if (is_free_again) ledger_.worker_table.Find(name)->health.told_it_is_over = true;
    if (hands_back || is_free_again) ledger_.wakeups.workers.insert(name);
  }
}

void Core::WakeBackOffs(const Now& now) {
  const auto woken = ledger_.queue.WakeDue(now.wall, now.wall + ledger_.config.back_off_max);
  if (!Succeeded(woken.status(), "end a back-off")) return;
  ledger_.wakeups.base_keys.insert(woken->begin(), woken->end());
}

void Core::WriteProgress(const Now& now) {
  if (now.since_boot >= next_write_ && ledger_.progress.dirty()) {
    Succeeded(ledger_.progress.Flush(ledger_.database, ledger_.attempts), "write progress");
    next_write_ = now.since_boot + kWriteInterval;
  }
  if (now.since_boot >= next_calls_write_) {
    Succeeded(ledger_.worker_table.SaveCalls(), "write when workers called");
    next_calls_write_ = now.since_boot + kCallsInterval;
  }
}

void Core::PlanNextDue(const Now& now) {
  ledger_.wake_at = Milliseconds::max();
  const auto back_off = ledger_.queue.NextDue();
  if (back_off.ok() && back_off->has_value()) {
    ledger_.wake_at = now.since_boot + (**back_off - now.wall);
  }
  for (const auto& [name, worker] : ledger_.worker_table.workers()) {
    if (worker.drain && worker.drain_by > now.wall) {
      ledger_.wake_at = std::min(ledger_.wake_at, now.since_boot + (worker.drain_by - now.wall));
    }
    if (IsQuarantined(worker, now)) {
      ledger_.wake_at = std::min(ledger_.wake_at, worker.health.quarantined_until);
    }
  }
  const auto unfinished = ledger_.adapters.Unfinished();
  if (!unfinished.ok() || !unfinished->empty()) {
    ledger_.wake_at = std::min(ledger_.wake_at, now.since_boot + kRetryInterval);
  }
  next_due_ = next_calls_write_;
  Expect(now);
  // What is overdue because it failed waits a little, and so does a clock that was set.
  const Milliseconds soonest = ledger_.write_error.empty() ? Milliseconds(1) : kRetryInterval;
  next_due_ = std::max(next_due_, now.since_boot + soonest);
}

void Core::Expect(const Now& now) {
  if (ledger_.database.stats().commits > ledger_.write_error_commit) ledger_.write_error.clear();
  if (!ledger_.write_error.empty() || ledger_.adapters.links_behind()) {
    next_due_ = std::min(next_due_, now.since_boot + kRetryInterval);
  }
  next_due_ = std::min(next_due_, ledger_.wake_at);
  if (const Lease* lease = ledger_.leases.Next(); lease != nullptr) {
    next_due_ = std::min(next_due_, lease->expires_at);
  }
  if (const Lease* lease = ledger_.leases.NextOverLimit(); lease != nullptr) {
    next_due_ = std::min(next_due_, lease->RunsUntil());
  }
  if (ledger_.progress.dirty()) next_due_ = std::min(next_due_, next_write_);
  if (ledger_.staged.FirstAbandoned() != 0) next_due_ = std::min(next_due_, now.since_boot);
  if (!ledger_.configs.behind().empty()) next_due_ = std::min(next_due_, now.since_boot);
}

bool Core::Succeeded(const absl::Status& status, const char* action) {
  if (status.ok()) return true;
  if (status.message() != ledger_.write_error) {
    // The WriteWatch says once that there is a problem, and once that it is over.
    spdlog::debug("cannot {}: {}", action, std::string(status.message()));
  }
  ledger_.RecordWriteError(status);
  return false;
}

absl::StatusOr<Answer> Core::Synchronize(const Now& now, const v1::SynchronizeRequest& request,
                                         bool held) {
  Enter(now);
  absl::StatusOr<Answer> answer = WorkerCall(ledger_, now, request, held).Run();
  Expect(now);
  return answer;
}

absl::StatusOr<v1::SubmitResponse> Core::Submit(const Now& now, const v1::SubmitRequest& request,
                                                absl::Span<const CheckedSubmission> checked) {
  Enter(now);
  return mozgach::Submit(ledger_, now, request, checked);
}

Wakeups Core::TakeWakeups() {
  Wakeups taken;
  std::swap(taken, ledger_.wakeups);
  return taken;
}

}  // namespace mozgach
