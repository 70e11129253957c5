// Follows jobs until they are over and displays their progress.
#pragma once

#include <vector>

#include "ctl/client/connection.h"
#include "ctl/display/job_display.h"

namespace mozgach {

// Shows the jobs of `selector` on `display` until all are over. Returns their final states, ordered
// by number. For a selected domain, only its latest job counts. Continues when the scheduler
// restarts, unless it is away for longer than `timeout`. CANCELLED after Ctrl-C (NoteInterrupts).
// NOT_FOUND if the scheduler does not know a job that was requested by number, or has another job
// under that number, as after a restore. Otherwise returns the error that ended the call.
absl::StatusOr<std::vector<v1::Job>> FollowJobs(Connection& connection,
                                                const v1::Selector& selector, JobDisplay& display,
                                                Milliseconds timeout);

}  // namespace mozgach
