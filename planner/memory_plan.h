// What a job holds at the moment it holds most, line by line, from the base's config.json alone.
// The table is the plan that is shown, what a job is placed by, and what the trainer's own count is
// held against.  Pure functions.
#pragma once

#include <cstdint>

#include "common/domain/domain_spec.h"
#include "common/status.h"
#include "planner/adapter_shape.h"
#include "planner/memory_line.h"
#include "planner/model_config.h"
#include "planner/step_shape.h"
#include "planner/token_estimate.h"

namespace mozgach {

struct MemoryPlan {
  MemoryLines lines{};
  // The part of `lines` that is not allocated: it is read in the mapping of the base's file.
  int64_t mapped = 0;
  int64_t trainable_parameters = 0;

  int64_t Line(MemoryLine line) const { return lines[static_cast<size_t>(line)]; }
  int64_t total() const;
  // Without what is mapped and the process itself: what an allocator counts.
  int64_t allocated() const;
};

// INVALID_ARGUMENT where the adapter does not fit the base.
absl::StatusOr<MemoryPlan> PlanMemory(const ModelConfig& config, const LoraSpec& lora,
                                      const ComputeSetup& setup, const StepShape& shape);

// What of the activations of so many layers is not kept where norms, the gate's product and
// rotation are computed again in backward, a little less than it is.
int64_t CheapRecomputeSaves(const ModelConfig& config, const ComputeSetup& setup, int64_t layers,
                            int64_t tokens);

// What is left of a step's tensors when it is over: nothing, unless the plan's own books are wrong.
MemoryLines HeldAfterAStep(const ModelConfig& config, const AdapterShape& adapter,
                           const ComputeSetup& setup, const StepShape& shape);

// How a domain's job computes on a device.  A compute type that is chosen by measurement is taken
// as float32 on a CPU and bfloat16 on a GPU.
ComputeSetup SetupOf(const ModelConfig& config, const DomainSpec& spec, DeviceClass device,
                     int64_t threads);

// The largest of everything that a domain's rows ask for: a micro-batch of training, a batch of
// held-out rows, prompts that are answered at once.  Of rows that are not known the most that
// max_length allows.
StepShape LargestStep(const ModelConfig& config, const DomainSpec& spec, const ComputeSetup& setup,
                      const DomainRows& rows);

// Bytes of a process beside its tensors: libraries, their buffers, freed memory that its heap
// keeps.
int64_t RuntimeBytes(DeviceClass device);

}  // namespace mozgach
