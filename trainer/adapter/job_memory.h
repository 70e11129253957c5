// What a job on a loaded base will take, by the planner's table: from the rows as they are, not as
// they might be.
#pragma once

#include "common/status.h"
#include "planner/memory_plan.h"
#include "trainer/adapter/job_data.h"
#include "trainer/data/batches.h"
#include "trainer/models/recompute.h"

namespace mozgach {

// `recompute` as it was decided; what is cheap to compute again is planned as if it were kept.
// INVALID_ARGUMENT where the adapter does not fit the base.
absl::StatusOr<MemoryPlan> PlanOfJob(const DomainSpec& spec, const Base& base, const JobData& data,
                                     const BatchPlan& batches, Recompute recompute);

}  // namespace mozgach
