#include "trainer/adapter/job_memory.h"

#include <algorithm>

#include "trainer/models/runtime.h"
#include "trainer/train/compute_type.h"
#include "trainer/train/training_batch.h"

namespace mozgach {
namespace {

// Steps that are looked at for the largest one: an epoch, of most datasets.
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

}  // namespace

absl::StatusOr<MemoryPlan> PlanOfJob(const DomainSpec& spec, const Base& base, const JobData& data,
                                     const BatchPlan& batches, bool checkpoint_layers) {
  const ModelConfig& config = base.model->config();
  DomainSpec pinned = spec;
  pinned.quantization = base.quantization;
  pinned.quantization.bnb_4bit_compute_dtype = ComputeTypeName(base.compute_type);
  const DeviceClass device =
      base.model->device().is_cpu() ? DeviceClass::kCpu : DeviceClass::kGpu;
  ComputeSetup setup = SetupOf(config, pinned, device, Threads());
  setup.checkpointing = checkpoint_layers ? Checkpointing::kPerLayer : Checkpointing::kNone;
  DomainRows rows;
  for (const Question& question : data.evaluation.questions) {
    const auto length = static_cast<int64_t>(question.prompt.size());
    ++rows.test.rows;
    rows.test.total += length;
    rows.test.longest = std::max(rows.test.longest, length);
  }
  for (const Example& example : data.evaluation.held_out) {
    const auto length = static_cast<int64_t>(example.ids.size());
    ++rows.validation.rows;
    rows.validation.total += length;
    rows.validation.longest = std::max(rows.validation.longest, length);
  }
  const StepShape evaluation = mozgach::LargestStep(config, pinned, setup, rows);
  StepShape shape = LargestStep(data, batches);
  shape.evaluation_tokens = rows.validation.rows > 0 ? evaluation.evaluation_tokens : 0;
  shape.prompts = evaluation.prompts;
  shape.prompt_tokens = evaluation.prompt_tokens;
  shape.cache_tokens = evaluation.cache_tokens;
  return PlanMemory(config, spec.lora, setup, shape);
}

}  // namespace mozgach
