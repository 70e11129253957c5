// How checkpoints come to the scheduler and go again.  A worker uploads one as blobs and names it
// in its report; it goes out with the job's next lease.
#pragma once

#include "common/status.h"
#include "scheduler/jobs/now.h"
#include "scheduler/state/scheduler_state.h"

namespace mozgach {

// Keeps `checkpoint` for `lease`'s job where it is newer than the one there is and all of it is
// here; the blobs of the one before go.  REQUIRES: the lease holds,
// CheckCheckpoint(checkpoint).ok().
absl::Status KeepCheckpoint(SchedulerState& state, const Lease& lease,
                            const v1::Checkpoint& checkpoint);

// Removes the blobs of a checkpoint that no row names any more.  What cannot be removed is swept by
// age.
void DropBlobsOf(SchedulerState& state, const v1::Checkpoint& checkpoint);

}  // namespace mozgach
