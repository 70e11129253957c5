// Following jobs until they are over, with something to look at meanwhile.
#pragma once

#include <vector>

#include "ctl/client/connection.h"
#include "ctl/display/job_display.h"

namespace mozgach {

// Shows the jobs of `selector` on `display` until all are over; returns them as they ended, by
// number.  Where domains are selected, only the latest job of each counts.  Goes on when the
// scheduler restarts, unless it is away for longer than `timeout`.  CANCELLED after Ctrl-C
// (NoteInterrupts); NOT_FOUND where the scheduler does not know a job that was asked for by its
// number, or knows another job under it, as after a restore; otherwise the error that ended it.
absl::StatusOr<std::vector<v1::Job>> FollowJobs(Connection& connection,
                                                const v1::Selector& selector, JobDisplay& display,
                                                Milliseconds timeout);

}  // namespace mozgach
