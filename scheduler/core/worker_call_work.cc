// What a worker should be doing: what it was given and does not name, and what is new.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "scheduler/core/attempt_life.h"
#include "scheduler/core/worker_call.h"
#include "scheduler/placement/quarantine.h"

namespace mozgach {
namespace {

constexpr int64_t kClaimsInOneCall = 16;

}  // namespace

void WorkerCall::RemindOfUnreported() {
  for (const int64_t job : state_.leases.JobsOf(request_.worker())) {
    const Lease lease = *state_.leases.Find(job);
    if (named_.count({job, lease.attempt}) > 0) continue;
    if (lease.incarnation == request_.incarnation() && !lease.stop) {
      ++unreported_;
      Give(lease);
      continue;
    }
    const absl::Status ended =
        lease.stop
            ? EndAttempt(state_, now_, lease, FailureClass::kStopped, "cancelled before it began")
            : EndAttempt(state_, now_, lease, FailureClass::kLost,
                         absl::StrCat("worker ", lease.worker, " restarted without it"));
    if (!ended.ok()) state_.RecordWriteError(ended);
  }
}

void WorkerCall::GiveWork() {
  const WorkerState* worker = state_.worker_table.Find(request_.worker());
  if (worker->drain || worker->draining || IsQuarantined(*worker, now_)) return;
  int64_t slots = std::min<int64_t>(request_.free_slots(), kClaimsInOneCall) - unreported_;
  if (IsOnProbation(*worker)) {
    slots = std::min<int64_t>(slots, state_.leases.JobsOf(worker->name).empty() ? 1 : 0);
  }
  for (int64_t slot = 0; slot < slots; ++slot) {
    const absl::StatusOr<std::optional<Lease>> lease = Claim(state_, now_, *worker);
    if (!lease.ok()) {
      // Not the call's failure: what runs on this worker must hear that its lease goes on.
      state_.RecordWriteError(lease.status());
      return;
    }
    if (!lease->has_value()) return;
    ++unreported_;
    ++answer_.claims;
    Give(**lease);
  }
}

void WorkerCall::Give(const Lease& lease) {
  const auto job = state_.queue.Get(lease.job);
  const auto details = state_.queue.GetDetails(lease.job);
  const auto datasets = state_.queue.Datasets(lease.job);
  const auto checkpoint = state_.checkpoints.Find(lease.job);
  if (!job.ok() || !details.ok() || !datasets.ok() || !checkpoint.ok())
    return;  // unreadable now; given again next time
  v1::Assignment& assignment = Assign(lease.job, lease.attempt, v1::Assignment::RUN);
  assignment.set_domain(job->domain);
  assignment.set_device(lease.device);
  assignment.set_spec_json(details->spec_json);
  assignment.set_pinned_json(details->pinned_json);
  assignment.set_spec_digest(job->spec_digest);
  assignment.set_dataset_digest(job->dataset_digest);
  for (const v1::Dataset& dataset : *datasets) *assignment.add_datasets() = dataset;
  if (checkpoint->step() > 0) *assignment.mutable_checkpoint() = *checkpoint;
  if (const v1::BaseManifest* base = state_.bases.Serving(job->base_key); base != nullptr) {
    *assignment.mutable_base() = *base;
  }
  answer_.news = true;
}

v1::Assignment& WorkerCall::Assign(int64_t job, int64_t attempt, v1::Assignment::Desired desired) {
  v1::Assignment& assignment = *answer_.response.add_assignments();
  assignment.set_job(job);
  assignment.set_attempt(attempt);
  assignment.set_desired(desired);
  return assignment;
}

}  // namespace mozgach
