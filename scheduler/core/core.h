// The Core is the scheduler: every decision about jobs, leases and versions.  It touches no clock,
// thread or socket; each call says what time it is, and what has come due is dealt with first.
//
// One thread at a time (core_executor.h lets many in, one by one).  All state that matters is in
// the database: a Core made from it goes on where the last one stopped.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "mozgach/v1/base_service.pb.h"
#include "mozgach/v1/job_service.pb.h"
#include "mozgach/v1/registry_service.pb.h"
#include "mozgach/v1/worker_service.pb.h"
#include "scheduler/core/submission.h"
#include "scheduler/core/worker_call.h"
#include "scheduler/jobs/now.h"
#include "scheduler/state/scheduler_state.h"

namespace mozgach {

class Core {
 public:
  // The database has the schema of scheduler/state/schema.h.  All must outlive the core.
  Core(const SchedulerConfig& config, Database& database, BlobStore& blobs, AdapterStore& adapters)
      : state_(config, database, blobs, adapters) {}

  // Once, first: reads what is stored, gives every lease its whole length again, and concludes what
  // a crash has left half-published.
  absl::Status Recover(const Now& now);

  // Expires leases, ends back-offs, goes on with publishing and with links, writes progress.  Every
  // other call does this first.  What fails is tried again at the next.
  void Enter(const Now& now);
  // Milliseconds since boot at which Enter has something to do even if nobody calls.
  Milliseconds NextDue() const { return next_due_; }

  // See WorkerCall.  REQUIRES: CheckRequest(request).ok().
  absl::StatusOr<Answer> Synchronize(const Now& now, const v1::SynchronizeRequest& request,
                                     bool held);

  absl::StatusOr<v1::SubmitResponse> Submit(const Now& now, const v1::SubmitRequest& request,
                                            absl::Span<const CheckedSubmission> submissions);
  absl::StatusOr<v1::CancelResponse> Cancel(const Now& now, const v1::CancelRequest& request);
  absl::StatusOr<v1::RetryResponse> Retry(const Now& now, const v1::RetryRequest& request);
  absl::StatusOr<v1::Worker> Drain(const Now& now, const v1::DrainWorkerRequest& request);
  // NOT_FOUND, or FAILED_PRECONDITION where it still calls or holds a lease.
  absl::Status ForgetWorker(const Now& now, const v1::ForgetWorkerRequest& request);

  // The version that the alias points at, or pointed at if it is removed.
  absl::StatusOr<Version> SetAlias(const Now& now, const v1::SetAliasRequest& request);

  absl::StatusOr<v1::AddBaseResponse> AddBase(const Now& now, const v1::AddBaseRequest& request);

  absl::StatusOr<v1::ListResponse> List(const Now& now, const v1::ListRequest& request);
  absl::StatusOr<v1::Job> Get(const Now& now, const v1::GetRequest& request);
  absl::StatusOr<v1::ExplainResponse> Explain(const Now& now, const v1::ExplainRequest& request);
  // `job`, or the latest of `domain` where it is 0.  NOT_FOUND.
  absl::StatusOr<int64_t> FindJob(int64_t job, const std::string& domain);
  v1::ListWorkersResponse ListWorkers(const Now& now);
  v1::ListBasesResponse ListBases(const Now& now);
  absl::StatusOr<v1::ListEventsResponse> ListEvents(const Now& now,
                                                    const v1::ListEventsRequest& request);

  // Returns which workers or bases are affected by changes since the last call.
  Wakeups TakeWakeups();

  SchedulerState& state() { return state_; }

 private:
  void ExpireLeases(const Now& now);
  void EndWhatRanTooLong(const Now& now);
  // Workers that drain until now, and those whose quarantine is over, hear of it.
  void RemindWorkers(const Now& now);
  void WakeBackOffs(const Now& now);
  // The next part of submissions whose caller is gone, or all their parts.
  void QueueAbandoned(const Now& now, bool all);
  void WriteProgress(const Now& now);
  // From all that is stored: after Enter has dealt with what was due.
  void PlanNextDue(const Now& now);
  // From what an operation has just added: cheap.
  void Expect(const Now& now);
  // Keeps what went wrong, if anything, and says it once.
  bool Succeeded(const absl::Status& status, const char* action);

  SchedulerState state_;
  Milliseconds next_due_{};
  Milliseconds next_write_{};        // when progress is written next
  Milliseconds next_calls_write_{};  // when the times of calls are written next
};

}  // namespace mozgach
