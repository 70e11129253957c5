// What a job on a loaded base will take, by the planner's table: from the rows as they are, not as
// they might be.
#pragma once

#include "common/status.h"
#include "planner/memory_plan.h"
#include "trainer/adapter/job_data.h"
#include "trainer/data/batches.h"

namespace mozgach {

// `checkpoint_layers` as it was decided.  INVALID_ARGUMENT where the adapter does not fit the base.
absl::StatusOr<MemoryPlan> PlanOfJob(const DomainSpec& spec, const Base& base, const JobData& data,
                                     const BatchPlan& batches, bool checkpoint_layers);

}  // namespace mozgach
