// What a job on a loaded base will take, by the planner's table: from the rows as they are, not as
// they might be.
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

// training.gradient_checkpointing decided: "true" is every layer, "false" nothing, and "auto" the
// least whose plan fits the memory there is: nothing, what is cheap, so many layers as it needs;
// where nothing does, every layer. INVALID_ARGUMENT where the adapter does not fit the base.
absl::StatusOr<JobMemory> PlanOfJob(const DomainSpec& spec, const Base& base, const JobData& data,
                                    const BatchPlan& batches);

// The same where so much is free, beside what this process holds already, and tensors are bounded
// (0: not).
absl::StatusOr<JobMemory> PlanOfJobIn(int64_t free_bytes, int64_t tensor_bound,
                                      const DomainSpec& spec, const Base& base, const JobData& data,
                                      const BatchPlan& batches);

}  // namespace mozgach
