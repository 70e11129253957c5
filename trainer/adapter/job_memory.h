// Plans the memory of a job on a loaded base with the planner's table, for the actual rows.
#pragma once

#include "common/status.h"
#include "planner/memory_plan.h"
#include "trainer/adapter/job_data.h"
#include "trainer/attention/recompute.h"
#include "trainer/data/batches.h"

namespace mozgach {

struct JobMemory {
  Recompute recompute = Recompute::kNothing;
  int64_t recomputed_layers = kEveryLayer;  // layers to recompute with Recompute::kLayers
  MemoryPlan plan;
};

// Resolves training.gradient_checkpointing. "true" recomputes every layer, "false" nothing. "auto"
// is the least recomputation whose plan fits the available memory: nothing, cheap operations only,
// the smallest sufficient number of layers, or every layer if no plan fits. INVALID_ARGUMENT if the
// adapter does not fit the base.
absl::StatusOr<JobMemory> PlanOfJob(const DomainSpec& spec, const Base& base, const JobData& data,
                                    const BatchPlan& batches);

// Same as PlanOfJob() with `free_bytes` available in addition to the memory that this process uses
// already. `tensor_bound` limits the bytes of tensors; 0: no limit.
absl::StatusOr<JobMemory> PlanOfJobIn(int64_t free_bytes, int64_t tensor_bound,
                                      const DomainSpec& spec, const Base& base, const JobData& data,
                                      const BatchPlan& batches);

}  // namespace mozgach
