// The least that a job can make do with by its own rules: what it is placed by.  Pure functions.
//
// The rows of a micro-batch go through one at a time.  Where gradient_checkpointing is auto or
// true, layers are run again in backward and the loss takes the shortest chunks: the lowest rung of
// the trainer's ladder (trainer/train/memory_ladder.h).  An explicit false stands, until memory has
// run out once: from then on the ladder goes all the way down.
#pragma once

#include <cstdint>

#include "planner/memory_plan.h"

namespace mozgach {

struct LeastPlan {
  MemoryPlan memory;
  Checkpointing checkpointing = Checkpointing::kNone;
};

// Threads that a CPU is planned with where nobody says how many there are.
inline constexpr int64_t kUsualThreads = 4;

// Plans the least memory of a job. Unknown rows count as the longest that max_length allows.
// `stepped_down`: memory ran out in an earlier attempt. INVALID_ARGUMENT if the adapter does not
// fit the base, or the base has an implausible size: `config` need not be trusted.
absl::StatusOr<LeastPlan> PlanLeast(const ModelConfig& config, const DomainSpec& spec,
                                    DeviceClass device, const DomainRows& rows, bool stepped_down);

// What in `spec` decides about memory, all else as in every other spec: domains that need the same
// are equal then, and few.
DomainSpec MemorySpec(const DomainSpec& spec);
// What in `rows` decides about memory, rounded up.  Bounded, whatever the numbers are.
DomainRows MemoryRows(const DomainSpec& spec, const DomainRows& rows);

}  // namespace mozgach
