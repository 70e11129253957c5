// How jobs and workers look to those who ask: rows and what is known in memory, as messages.
#pragma once

#include <string>
#include <vector>

#include "mozgach/v1/job_service.pb.h"
#include "scheduler/jobs/now.h"
#include "scheduler/state/scheduler_state.h"

namespace mozgach {

// `whole`: with the spec and the datasets.
absl::StatusOr<v1::Job> ViewJob(SchedulerState& state, const Now& now, int64_t job, bool whole);

// up | draining | quarantined | lost | awaited.
const char* StateOf(const SchedulerState& state, const Now& now, const WorkerState& worker);

v1::Worker ViewWorker(const SchedulerState& state, const Now& now, const WorkerState& worker);

// The jobs that a selector means, in the order of their domains or numbers, none twice.  NOT_FOUND
// for a name or number that does not exist.  `all_by_default`: nothing selected is the latest job
// of every domain; otherwise INVALID_ARGUMENT.
absl::StatusOr<std::vector<int64_t>> Select(SchedulerState& state, const v1::Selector& selector,
                                            bool all_by_default);

}  // namespace mozgach
