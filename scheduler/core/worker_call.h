// A WorkerCall is one Synchronize, heard and answered: what the worker says goes into the state,
// what it should be doing comes out.  Idempotent: the same request again gives the same state.
#pragma once

#include <set>
#include <string>
#include <utility>

#include "mozgach/v1/worker_service.pb.h"
#include "scheduler/jobs/failure.h"
#include "scheduler/jobs/now.h"
#include "scheduler/state/scheduler_state.h"

namespace mozgach {

// OK when the request stays within the bounds of what a worker may say.
absl::Status CheckRequest(const v1::SynchronizeRequest& request);

struct Answer {
  v1::SynchronizeResponse response;
  bool news = false;  // it says something that the request did not know: don't hold it back
  int claims = 0;
  int publishes = 0;
};

class WorkerCall {
 public:
  // `held`: the request arrived earlier and was held since. It is answered with the present state
  // but does not prove that the worker is alive, so it renews no lease.
  WorkerCall(SchedulerState& state, const Now& now, const v1::SynchronizeRequest& request,
             bool held)
      : state_(state), now_(now), request_(request), held_(held) {}

  // ABORTED: a later call of this worker came first.  One bad report does not spoil the others.
  absl::StatusOr<Answer> Run();

 private:
  // The config.json of bases: what is new is kept, what is missing is asked for.
  void HearConfigs();
  void Hear(const v1::AttemptReport& report);
  // A report of an attempt whose lease this worker does not hold.
  void HearStranger(const v1::AttemptReport& report);
  void HearResult(const Lease& lease, const v1::AttemptReport& report);
  void TakeProgress(const v1::AttemptReport& report);
  void TakePin(const Lease& lease, const v1::AttemptReport& report);
  void TakeCheckpoint(const Lease& lease, const v1::AttemptReport& report);
  void StartClock(const Lease& lease);
  absl::Status WritePin(const Lease& lease, const v1::AttemptReport& report);
  absl::Status TakeOver(const Lease& lease);
  // Ends the attempt; when that cannot be written, the worker is to report again.
  void End(const Lease& lease, FailureClass failure, const std::string& message);
  // Leases that the request does not name: given again, or lost with an older incarnation.
  void RemindOfUnreported();
  void GiveWork();
  void Give(const Lease& lease);
  // What the worker should do with an attempt that goes on.
  v1::Assignment::Desired Desired(const Lease& lease) const;
  v1::Assignment& Assign(int64_t job, int64_t attempt, v1::Assignment::Desired desired);
  // Remembers why a write failed; the worker reports again.
  void Fail(const absl::Status& status, int64_t job);

  SchedulerState& state_;
  const Now now_;
  const v1::SynchronizeRequest& request_;
  const bool held_;
  std::set<std::pair<int64_t, int64_t>> named_;  // jobs and attempts that the request reports
  int64_t unreported_ = 0;
  Answer answer_;
};

}  // namespace mozgach
