#include "trainer/adapter/job_memory.h"

#include <algorithm>
#include <string>
#include <utility>

#include "trainer/device/runtime.h"
#include "trainer/memory/counted_memory.h"
#include "trainer/train/compute_type.h"
#include "trainer/train/training_batch.h"

namespace mozgach {
namespace {

// Most steps to search for the largest one: an epoch of most datasets.
constexpr int64_t kMostSteps = 2000;

StepShape ShapeOf(const std::vector<Example>& examples, const MicroBatch& micro_batch) {
  StepShape shape;
  shape.documents = 0;
  for (const Sequence& sequence : micro_batch) {
    for (const int32_t index : sequence.examples) {
      const Example& example = examples[static_cast<size_t>(index)];
      const auto length = static_cast<int64_t>(example.ids.size());
      shape.in_order = shape.in_order && (shape.documents == 0 || length == shape.longest);
      shape.longest = std::max(shape.longest, length);
      shape.tokens += length;
      ++shape.documents;
      shape.trained += std::count(example.trained.begin(), example.trained.end(), true);
    }
  }
  shape.slots = shape.tokens;
  return shape;
}

StepShape LargestStep(const JobData& data, const BatchPlan& batches) {
  StepShape largest;
  for (int64_t i = 0; i < std::min(batches.steps(), kMostSteps); ++i) {
    const StepPlan step = batches.step(i);
    for (const MicroBatch& micro_batch : step) {
      const StepShape shape = ShapeOf(data.train, micro_batch);
      const int64_t micro_batches = largest.micro_batches;
      if (shape.tokens > largest.tokens) largest = shape;
      largest.micro_batches = std::max(micro_batches, static_cast<int64_t>(step.size()));
    }
  }
  return largest;
}

DomainRows RowsOf(const EvaluationSet& evaluation) {
  DomainRows rows;
  for (const Question& question : evaluation.questions) {
    const auto length = static_cast<int64_t>(question.prompt.size());
    ++rows.test.rows;
    rows.test.total += length;
    rows.test.longest = std::max(rows.test.longest, length);
  }
  for (const Example& example : evaluation.held_out) {
    const auto length = static_cast<int64_t>(example.ids.size());
    ++rows.validation.rows;
    rows.validation.total += length;
    rows.validation.longest = std::max(rows.validation.longest, length);
  }
  return rows;
}

StepShape ShapeOfJob(const ModelConfig& config, const DomainSpec& spec, const ComputeSetup& setup,
                     const JobData& data, const BatchPlan& batches) {
  const DomainRows rows = RowsOf(data.evaluation);
  const StepShape evaluation = mozgach::LargestStep(config, spec, setup, rows);
  StepShape shape = LargestStep(data, batches);
  shape.evaluation_tokens = rows.validation.rows > 0 ? evaluation.evaluation_tokens : 0;
  shape.prompts = evaluation.prompts;
  shape.prompt_tokens = evaluation.prompt_tokens;
  shape.cache_tokens = evaluation.cache_tokens;
  return shape;
}

ComputeSetup SetupOfJob(const DomainSpec& spec, const Base& base) {
  DomainSpec pinned = spec;
  pinned.quantization = base.quantization;
  pinned.quantization.bnb_4bit_compute_dtype = ComputeTypeName(base.compute_type);
  const DeviceClass device = base.model->device().is_cpu() ? DeviceClass::kCpu : DeviceClass::kGpu;
  return SetupOf(base.model->config(), pinned, device, Threads());
}

// Leaves memory for other processes and for inaccuracies of the plan.
constexpr double kFilled = 0.9;

bool Fits(const MemoryPlan& plan, int64_t memory, int64_t tensor_bound) {
  return static_cast<double>(plan.total()) <= kFilled * static_cast<double>(memory) &&
         (tensor_bound == 0 || plan.allocated() <= tensor_bound);
}

}  // namespace

absl::StatusOr<JobMemory> PlanOfJobIn(int64_t free_bytes, int64_t tensor_bound,
                                      const DomainSpec& spec, const Base& base, const JobData& data,
                                      const BatchPlan& batches) {
  const ModelConfig& config = base.model->config();
  const ComputeSetup setup = SetupOfJob(spec, base);
  const StepShape shape = ShapeOfJob(config, spec, setup, data, batches);
  const std::string& wish = spec.training.gradient_checkpointing;
  const int64_t memory = free_bytes + MemoryUsedBytes(), layers = config.num_hidden_layers;
  // Recomputes the lowest `again` layers, and only cheap operations in the layers above.
  const auto plan_of = [&](Recompute recompute, int64_t again) -> absl::StatusOr<JobMemory> {
    ComputeSetup with = setup;
    with.checkpointing = again > 0 ? Checkpointing::kPerLayer : Checkpointing::kNone;
    with.checkpointed_layers = again;
    ASSIGN_OR_RETURN(MemoryPlan plan, PlanMemory(config, spec.lora, with, shape));
    if (recompute != Recompute::kNothing) {
      plan.lines[static_cast<size_t>(MemoryLine::kActivations)] -=
          CheapRecomputeSaves(config, with, layers - again, shape.tokens);
    }
    const bool some = recompute == Recompute::kLayers && again < layers;
    return JobMemory{recompute, some ? again : kEveryLayer, std::move(plan)};
  };
  if (wish == "true") return plan_of(Recompute::kLayers, layers);
  for (const Recompute recompute : {Recompute::kNothing, Recompute::kCheap}) {
    ASSIGN_OR_RETURN(JobMemory choice, plan_of(recompute, 0));
    if (wish == "false" || Fits(choice.plan, memory, tensor_bound)) return choice;
  }
  // Finds the fewest layers that fit. Recomputing more layers never needs more memory.
  int64_t least = 1;
  for (int64_t most = layers; least < most;) {
    const int64_t middle = (least + most) / 2;
    ASSIGN_OR_RETURN(const JobMemory choice, plan_of(Recompute::kLayers, middle));
    if (Fits(choice.plan, memory, tensor_bound)) {
      most = middle;
    } else {
      least = middle + 1;
    }
  }
  return plan_of(Recompute::kLayers, least);
}

absl::StatusOr<JobMemory> PlanOfJob(const DomainSpec& spec, const Base& base, const JobData& data,
                                    const BatchPlan& batches) {
  return PlanOfJobIn(MemoryFreeBytes(), BoundOfTensors(), spec, base, data, batches);
}

}  // namespace mozgach
