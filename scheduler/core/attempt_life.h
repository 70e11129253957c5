// How an attempt begins and how it ends without a result.  (With a result: publication.h.)
#pragma once

#include <optional>
#include <string>

#include "scheduler/jobs/failure.h"
#include "scheduler/jobs/now.h"
#include "scheduler/state/scheduler_state.h"

namespace mozgach {

// Gives `worker` the best job that it can run, in one statement, and a lease of it.  Empty: there
// is none.
absl::StatusOr<std::optional<Lease>> Claim(SchedulerState& state, const Now& now,
                                           const WorkerState& worker);

// Ends a leased attempt: the job is cancelled where that was asked for, otherwise queued again or
// failed as Judge says.  `message` is for people.  ABORTED, with nothing written, if the lease's
// attempt is not the one that runs.
absl::Status EndAttempt(SchedulerState& state, const Now& now, Lease lease, FailureClass failure,
                        const std::string& message);

}  // namespace mozgach
