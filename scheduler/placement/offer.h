// An offer is what one device could be given now: base keys, and how much memory there is for a job
// of each.
#pragma once

#include <optional>

#include "scheduler/jobs/now.h"
#include "scheduler/placement/device_room.h"
#include "scheduler/state/scheduler_state.h"

namespace mozgach {

// What `worker` could start on the device of `room`.
absl::StatusOr<Queue::Offer> OfferOf(SchedulerState& state, const Now& now,
                                     const WorkerState& worker, const DeviceRoom& room);

// The job for which the device is kept free: it would be next, has waited long, and fits as soon as
// other workers of this host are done; were the device given smaller ones for ever, so would the
// others be.  Empty: there is none.
absl::StatusOr<std::optional<Queue::Waiting>> KeptFreeFor(SchedulerState& state, const Now& now,
                                                          const WorkerState& worker,
                                                          const DeviceRoom& room);

}  // namespace mozgach
