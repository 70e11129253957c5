// Job planning keeps what jobs need in step with what is known of their bases.  Each call is one
// transaction of bounded work; what remains is done at the next.
#pragma once

#include <string>

#include "scheduler/state/scheduler_state.h"

namespace mozgach {

// What decides about the memory of `job` (job_shape.h): as its shape has it, or for a job from
// before there were shapes, out of its spec.
absl::StatusOr<std::string> SettingsOf(SchedulerState& state, const Job& job);

// The shape of a job that has not run yet.
absl::StatusOr<int64_t> ShapeOfNew(SchedulerState& state, const NewJob& job);

// What `worker` told of `base` counts from now on; the first shapes of the base are planned with
// it.
absl::Status LearnConfig(SchedulerState& state, const std::string& worker, const v1::Base& base);

// True when there may be more to do.
absl::StatusOr<bool> PlanSomeShapes(SchedulerState& state);
absl::StatusOr<bool> PlanSomeJobsFromBefore(SchedulerState& state);

}  // namespace mozgach
