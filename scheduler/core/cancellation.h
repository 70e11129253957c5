// Cancelling and retrying: what people do to jobs after they submitted them.
#pragma once

#include <string>
#include <vector>

#include "mozgach/v1/job_service.pb.h"
#include "scheduler/jobs/now.h"
#include "scheduler/state/scheduler_state.h"

namespace mozgach {

// The rows of a cancel, in the open transaction: a queued job is cancelled at once, a running one
// is asked to stop.  One that publishes succeeds all the same, unless its staged files are gone.
// Terminal jobs stay as they are.
absl::Status WriteCancel(SchedulerState& state, const Now& now, const Job& job,
                         const std::string& reason, const std::string& actor);
// To be called once WriteCancel is committed.
void AnnounceCancel(SchedulerState& state, const Job& job);

// Cancels all of `jobs` or, on an error, none; returns them.  FAILED_PRECONDITION for a job that is
// over, unless it was cancelled; with `only_those_that_can` jobs that are over are passed over.
absl::StatusOr<std::vector<int64_t>> Cancel(SchedulerState& state, const Now& now,
                                            const std::vector<int64_t>& jobs,
                                            bool only_those_that_can, const std::string& actor);

// Queues failed and cancelled jobs again, each as a new job that names the old one; returns the new
// jobs. FAILED_PRECONDITION, and nothing is done, if a job is in another state or is not the latest
// of its domain; with `only_those_that_can` such jobs are skipped.
absl::StatusOr<std::vector<int64_t>> Retry(SchedulerState& state, const Now& now,
                                           const std::vector<int64_t>& jobs,
                                           bool only_those_that_can, const std::string& actor);

}  // namespace mozgach
