#include "planner/least_plan.h"

#include <algorithm>

#include "planner/ceil_divide.h"
#include "planner/step_bounds.h"

namespace mozgach {
namespace {

// Beyond what anybody has trained, and far below where bytes no longer fit 63 bits.
constexpr int64_t kWidest = int64_t{1} << 18;
constexpr int64_t kMostWords = int64_t{1} << 22;
constexpr int64_t kMostDeep = 1024;
constexpr int64_t kMostTokens = int64_t{1} << 24;

// The next of 8, 10, 12, 14, 16, 20, 24…: at most a quarter more.
int64_t RoundUp(int64_t count) {
  int64_t grain = 1;
  while (count > 8 * grain) grain *= 2;
  return CeilDivide(count, grain) * grain;
}

absl::Status CheckSize(const ModelConfig& config) {
  const int64_t queries = config.num_attention_heads * config.head_dim;
  const int64_t keys = config.num_key_value_heads * config.head_dim;
  if (config.hidden_size > kWidest || config.intermediate_size > 4 * kWidest || queries > kWidest ||
      keys > kWidest || config.vocab_size > kMostWords || config.num_hidden_layers > kMostDeep) {
    return absl::InvalidArgumentError("its config.json describes no base of a likely size");
  }
  return absl::OkStatus();
}

// The length that a domain asks for, cut to the longest text that the base supports. The rules are
// those of Hugging Face, as in trainer/attention/rope_frequencies.h.
int64_t LongestText(const ModelConfig& config, const DomainSpec& spec) {
  const auto& own = config.ropes.front().scaling;
  const bool dynamic = own && own->type == RopeScaling::Type::kDynamic;
  const auto positions = static_cast<double>(config.max_position_embeddings);
  double longest = positions * (dynamic ? own->factor : 1);
  if (const auto asked = RopeScalingOf(spec.rope_scaling)) {
    const auto& before = asked->original_max_position_embeddings;
    longest = std::max(longest, (before ? static_cast<double>(*before) : longest) * asked->factor);
  }
  const auto bounded = static_cast<int64_t>(std::clamp<double>(longest, 2, kMostTokens));
  return std::clamp<int64_t>(spec.data.max_length, 2, bounded);
}

bool IsAsked(const DomainSpec& spec) {
  const auto& metrics = spec.evaluation.metrics;
  return std::find(metrics.begin(), metrics.end(), "exact_match") != metrics.end();
}

RowTokens Bounded(const RowTokens& rows, int64_t most_rows, int64_t longest, int64_t total) {
  if (rows.rows <= 0 || rows.longest <= 0 || rows.total <= 0) return RowTokens();
  RowTokens bounded;
  bounded.rows = std::min(RoundUp(std::min(rows.rows, most_rows)), most_rows);
  bounded.longest = std::min(RoundUp(std::min(rows.longest, longest)), longest);
  bounded.total = std::min(RoundUp(std::min(rows.total, total)), total);
  return bounded;
}

// A row at a time.
StepShape OneRow(const DomainSpec& spec, const DomainRows& rows) {
  const int64_t length = spec.data.max_length;
  const int64_t batch = spec.training.per_device_train_batch_size;
  const int64_t row =
      rows.train.rows > 0 ? std::clamp<int64_t>(rows.train.longest, 2, length) : length;
  StepShape shape = FullBatch(1, row);
  const int64_t parts = spec.data.packing ? CeilDivide(batch * length, row) : batch;
  shape.micro_batches = std::min(kMostTokens, parts * spec.training.gradient_accumulation_steps);
  return shape;
}

absl::StatusOr<LeastPlan> PlanWith(const ModelConfig& config, const DomainSpec& spec,
                                   DeviceClass device, const DomainRows& rows,
                                   Checkpointing checkpointing, int64_t loss_chunk_bytes) {
  ComputeSetup setup = SetupOf(config, spec, device, kUsualThreads);
  setup.checkpointing = checkpointing;
  StepShape shape = OneRow(spec, rows);
  shape.loss_chunk_bytes = loss_chunk_bytes;
  DomainSpec evaluated = spec;
  evaluated.training.per_device_train_batch_size = 1;
  const StepShape evaluation = LargestStep(config, evaluated, setup, rows);
  shape.evaluation_tokens = evaluation.evaluation_tokens;
  shape.prompts = evaluation.prompts;
  shape.prompt_tokens = evaluation.prompt_tokens;
  shape.cache_tokens = evaluation.cache_tokens;
  LeastPlan plan;
  plan.checkpointing = checkpointing;
  ASSIGN_OR_RETURN(plan.memory, PlanMemory(config, spec.lora, setup, shape));
  return plan;
}

}  // namespace

absl::StatusOr<LeastPlan> PlanLeast(const ModelConfig& config, const DomainSpec& asked,
                                    DeviceClass device, const DomainRows& known,
                                    bool stepped_down) {
  RETURN_IF_ERROR(CheckSize(config));
  DomainSpec spec = asked;
  spec.data.max_length = LongestText(config, asked);
  const DomainRows rows = MemoryRows(spec, known);
  const std::string& checkpointing = spec.training.gradient_checkpointing;
  if (checkpointing == "false" && !stepped_down) {
    return PlanWith(config, spec, device, rows, Checkpointing::kNone, 0);
  }
  ASSIGN_OR_RETURN(LeastPlan least, PlanWith(config, spec, device, rows, Checkpointing::kPerLayer,
                                             kShortestLossChunkBytes));
  if (checkpointing == "true") return least;
  // With a small base, recomputing layers may need more memory than it saves.
  ASSIGN_OR_RETURN(LeastPlan plain, PlanWith(config, spec, device, rows, Checkpointing::kNone, 0));
  return plain.memory.total() < least.memory.total() ? plain : least;
}

DomainSpec MemorySpec(const DomainSpec& spec) {
  DomainSpec memory;
  memory.domain = "any";
  memory.base = spec.base;
  memory.data.train = {"train"};
  memory.data.max_length = spec.data.max_length;
  memory.data.packing = spec.data.packing;
  memory.quantization = spec.quantization;
  memory.lora = spec.lora;
  memory.lora.lora_alpha.reset();
  memory.training.per_device_train_batch_size = spec.training.per_device_train_batch_size;
  memory.training.gradient_accumulation_steps = spec.training.gradient_accumulation_steps;
  memory.training.gradient_checkpointing = spec.training.gradient_checkpointing;
  memory.training.optim = spec.training.optim;
  memory.rope_scaling = spec.rope_scaling;
  if (IsAsked(spec)) memory.evaluation = spec.evaluation;
  return memory;
}

DomainRows MemoryRows(const DomainSpec& spec, const DomainRows& rows) {
  const int64_t length = std::clamp<int64_t>(spec.data.max_length, 2, kMostTokens);
  DomainRows bounded;
  bounded.train = Bounded(rows.train, 1, length, length);
  bounded.validation = Bounded(rows.validation, IsAsked(spec) ? kMostPrompts : 1, length,
                               std::max(length, kHeldOutTokens));
  if (IsAsked(spec)) bounded.test = Bounded(rows.test, kMostPrompts, length, length);
  return bounded;
}

}  // namespace mozgach
