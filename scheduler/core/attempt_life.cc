#include "scheduler/core/attempt_life.h"

#include <algorithm>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "common/log_line.h"
#include "failpoint/failpoint.h"
#include "scheduler/core/checkpoint_handover.h"
#include "scheduler/core/job_planning.h"
#include "scheduler/placement/offer.h"
#include "scheduler/placement/placement.h"
#include "scheduler/placement/quarantine.h"
#include "scheduler/state/activity_log.h"

namespace mozgach {
namespace {

// What the job needs from now on: less, where memory ran out in an attempt.
absl::Status TakeShape(SchedulerState& state, const Job& job) {
  ASSIGN_OR_RETURN(const Queue::Details details, state.queue.GetDetails(job.job));
  ASSIGN_OR_RETURN(const std::string settings, SettingsOf(state, job));
  ASSIGN_OR_RETURN(const int64_t shape, state.shapes.FindOrAdd(job.base, job.base_key, settings,
                                                               HasSteppedDown(details.pinned_json),
                                                               state.configs.Find(job.base)));
  return shape == job.shape ? absl::OkStatus() : state.queue.SetShape(job.job, shape);
}

// The rows of an ended attempt; `job` is changed to what it is from now on.
absl::Status WriteEnd(SchedulerState& state, WallTime now, const Lease& lease, Job& job,
                      FailureClass failure, const std::string& message) {
  const bool cancelled = job.cancel_requested;
  JobState next = JobState::kCancelled;
  if (!cancelled) {
    Verdict verdict = Judge(job, failure, message, state.config);
    next = verdict.state;
    job.failures = verdict.failures;
    job.disturbances = verdict.disturbances;
    job.failure_class = Name(failure);
    job.reason = std::move(verdict.reason);
    job.not_before = verdict.back_off.count() == 0 ? WallTime{} : now + verdict.back_off;
  }
  if (next == JobState::kQueued) RETURN_IF_ERROR(TakeShape(state, job));
  ASSIGN_OR_RETURN(const bool moved, next == JobState::kQueued ? state.queue.Requeue(now, job)
                                                               : state.queue.End(now, job, next));
  if (!moved) {
    return absl::InternalError(
        absl::StrCat("job ", job.job, " is not running attempt ", job.attempt));
  }
  if (const ProgressCache::Entry* entry = state.progress.Find(job.job); entry != nullptr) {
    RETURN_IF_ERROR(state.attempts.RecordProgress(job.job, job.attempt, entry->progress));
  }
  const std::string attempt_state = cancelled ? "cancelled" : AttemptStateAfter(failure);
  ASSIGN_OR_RETURN(const bool ended,
                   state.attempts.End(now, job.job, job.attempt, "running", attempt_state.c_str(),
                                      cancelled ? "" : Name(failure), message));
  if (!ended) {
    return absl::InternalError(
        absl::StrCat("attempt ", job.attempt, " of job ", job.job, " is not running"));
  }
  RETURN_IF_ERROR(state.leases.DeleteRow(lease));
  job.state = next;
  const std::string kind = next == JobState::kQueued ? "requeued" : Name(next);
  return state.events.Append({.time = now,
                              .job = job.job,
                              .domain = job.domain,
                              .attempt = job.attempt,
                              .kind = failure == FailureClass::kLost && !cancelled
                                          ? absl::StrCat("lease_lost, ", kind)
                                          : kind,
                              .actor = lease.worker,
                              .message = cancelled ? job.reason : message});
}

absl::StatusOr<std::optional<Lease>> ClaimFor(SchedulerState& state, const Now& now,
                                              const WorkerState& worker, const DeviceRoom& room) {
  ASSIGN_OR_RETURN(const Queue::Offer offer, OfferOf(state, now, worker, room));
  Transaction transaction(state.database);
  RETURN_IF_ERROR(transaction.status());
  ASSIGN_OR_RETURN(const std::optional<int64_t> claimed, state.queue.Claim(now.wall, offer));
  if (!claimed.has_value()) return std::optional<Lease>();
  ASSIGN_OR_RETURN(const Job job, state.queue.Get(*claimed));
  ASSIGN_OR_RETURN(const JobShape shape, state.shapes.Get(job.shape));
  const int64_t planned = shape.needs.On(room.device_class);
  Lease lease{.job = job.job,
              .attempt = job.attempt,
              .worker = worker.name,
              .incarnation = worker.incarnation,
              .expires_at = now.since_boot + state.config.lease,
              .device = room.device,
              .memory_pool = room.memory_pool,
              .reserved_bytes = static_cast<uint64_t>(ReservedOn(state, room, job.base, planned))};
  lease.time_limit = job.time_limit;
  RETURN_IF_ERROR(state.attempts.Insert(now.wall, lease.job, lease.attempt, lease.worker));
  RETURN_IF_ERROR(state.leases.InsertRow(lease));
  RETURN_IF_ERROR(state.events.Append({.time = now.wall,
                                       .job = job.job,
                                       .domain = job.domain,
                                       .attempt = job.attempt,
                                       .kind = "claimed",
                                       .actor = worker.name,
                                       .message = ""}));
  RETURN_IF_ERROR(COMMIT("scheduler.attempt.claim", transaction));
  LogActivity(ClaimLine(lease, job.domain));
  state.leases.Add(lease);
  state.progress.Start(job.job, job.attempt, job.domain);
  state.changes.Touch(job.job);
  ++state.counters.claims;
  if (HasLoaded(worker, job.base_key)) ++state.counters.affinity_hits;
  const std::chrono::duration<double> waited = now.wall - job.queued;
  state.counters.queue_wait_seconds.Observe(std::max(0.0, waited.count()));
  return std::optional<Lease>(std::move(lease));
}

}  // namespace

absl::StatusOr<std::optional<Lease>> Claim(SchedulerState& state, const Now& now,
                                           const WorkerState& worker) {
  for (const DeviceRoom& room : FreeRoomsOf(state, worker)) {
    ASSIGN_OR_RETURN(const auto waited_for, KeptFreeFor(state, now, worker, room));
    if (waited_for.has_value()) continue;
    ASSIGN_OR_RETURN(std::optional<Lease> lease, ClaimFor(state, now, worker, room));
    if (lease.has_value()) return lease;
  }
  return std::optional<Lease>();
}

absl::Status EndAttempt(SchedulerState& state, const Now& now, Lease lease, FailureClass failure,
                        const std::string& message) {
  Transaction transaction(state.database);
  RETURN_IF_ERROR(transaction.status());
  ASSIGN_OR_RETURN(Job job, state.queue.Get(lease.job));
  if (job.attempt != lease.attempt) {
    // No row stands behind it: it would be tried again at each call, in vain.
    const Lease* stale = state.leases.Find(lease.job);
    if (stale != nullptr && stale->attempt == lease.attempt) state.leases.Erase(lease.job);
    return absl::AbortedError(
        absl::StrCat("attempt ", lease.attempt, " of job ", lease.job, " is over"));
  }
  ASSIGN_OR_RETURN(const v1::Checkpoint checkpoint, state.checkpoints.Find(lease.job));
  RETURN_IF_ERROR(WriteEnd(state, now.wall, lease, job, failure, message));
  RETURN_IF_ERROR(COMMIT("scheduler.attempt.end", transaction));
  LogActivity(EndLine(lease, job, failure, message));
  if (IsTerminal(job.state)) DropBlobsOf(state, checkpoint);
  state.leases.Erase(job.job);
  state.progress.Erase(job.job);
  state.changes.Touch(job.job);
  if (job.state == JobState::kQueued) {
    if (job.not_before <= now.wall) {
      state.wakeups.base_keys.insert(job.base_key);
    } else {
      state.wake_at = std::min(state.wake_at, now.since_boot + (job.not_before - now.wall));
    }
  } else {
    ++state.counters.jobs_finished[Name(job.state)];
  }
  ++state.counters.attempts_ended[job.cancel_requested ? "cancelled" : Name(failure)];
  if (failure == FailureClass::kLost) ++state.counters.leases_expired;
  if (!job.cancel_requested) {
    HearFailure(state, now, lease.worker, job.domain, failure, message);
  }
  return absl::OkStatus();
}

}  // namespace mozgach
