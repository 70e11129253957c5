// Base dispatch decides which jobs may go to a worker that has to fetch their base first: those
// whose base the scheduler holds and the worker has room for, while no worker that has it, and the
// memory for them all, waits for work.
#pragma once

#include <string>
#include <vector>

#include "scheduler/jobs/now.h"
#include "scheduler/state/scheduler_state.h"

namespace mozgach {

// True when `worker` said that its disk has room for the base, or is fetching it.
bool HasRoomFor(const WorkerState& worker, const v1::BaseManifest& manifest);

// True when `worker` lacks what `base_key` asks for, and could fetch it: the order in which workers
// are asked is the caller's.
bool CouldFetch(const SchedulerState& state, const WorkerState& worker,
                const std::string& base_key);

// Keys of jobs that wait, and that `worker` is to be given although it has to fetch their base.
absl::StatusOr<std::vector<std::string>> KeysToFetch(SchedulerState& state, const Now& now,
                                                     const WorkerState& worker);

// What `worker` said last of a fetch of this base; null: it is not fetching it.
const v1::BaseFetch* FetchOf(const WorkerState& worker, const std::string& base);

// "worker alpha is fetching it (120.0 MiB of 1.2 GiB)".
std::string ShowFetch(const WorkerState& worker, const v1::BaseFetch& fetch);

}  // namespace mozgach
