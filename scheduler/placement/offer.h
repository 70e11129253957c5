// An offer is what one device could be given now: base keys, and how much memory there is for a job
// of each.
#pragma once

#include <optional>

#include "scheduler/jobs/now.h"
#include "scheduler/placement/device_room.h"
#include "scheduler/state/scheduler_state.h"

namespace mozgach {

// Returns what `worker` could start on the device of `room`.
absl::StatusOr<Queue::Offer> OfferOf(SchedulerState& state, const Now& now,
                                     const WorkerState& worker, const DeviceRoom& room);

// Returns the job for which the device is kept free: it is next, has waited long, and fits as soon
// as other workers of this host are done. Otherwise a stream of small jobs would starve it. nullopt
// if no job needs that.
absl::StatusOr<std::optional<Queue::Waiting>> KeptFreeFor(SchedulerState& state, const Now& now,
                                                          const WorkerState& worker,
                                                          const DeviceRoom& room);

}  // namespace mozgach
