#include "planner/context_table.h"

namespace mozgach {
namespace {

constexpr int64_t kGigabytes[] = {8, 12, 16, 24, 32, 48, 64, 80, 96, 128, 192};
constexpr int64_t kStep = 256;
constexpr int64_t kMostSteps = 16384;

struct Technique {
  const char* name;
  bool quantize;
  Checkpointing checkpointing;
  bool blocks;
};

constexpr Technique kTechniques[] = {
    {"bf16 LoRA", false, Checkpointing::kNone, false},
    {"QLoRA", true, Checkpointing::kNone, false},
    {"+ checkpointing", true, Checkpointing::kPerLayer, false},
    {"+ blocks", true, Checkpointing::kPerLayer, true},
};

// What attention and loss hold when they are not cut into blocks: scores and probabilities
// [heads, tokens, tokens] of a layer (of all that are not run again) and their gradients, and the
// logits [tokens, vocab] in the compute type, in float32, and their gradient.
double WholeBytes(const ModelConfig& config, const Technique& technique, int64_t tokens) {
  const auto n = static_cast<double>(tokens);
  const auto heads = static_cast<double>(config.num_attention_heads);
  const double kept = technique.checkpointing == Checkpointing::kNone
                          ? static_cast<double>(config.num_hidden_layers)
                          : 1.0;
  const double scores = heads * n * n * 2.0 * (kept + 2.0);
  const double logits = n * static_cast<double>(config.vocab_size) * (2.0 + 4.0 + 4.0);
  return scores + logits;
}

absl::StatusOr<double> BytesFor(const ModelConfig& config, DeviceClass device,
                                const Technique& technique, int64_t tokens) {
  DomainSpec spec;
  spec.quantization.load_in_4bit = technique.quantize;
  spec.quantization.bnb_4bit_compute_dtype = "bfloat16";
  ComputeSetup setup = SetupOf(config, spec, device, 1);
  setup.checkpointing = technique.checkpointing;
  ASSIGN_OR_RETURN(const MemoryPlan plan,
                   PlanMemory(config, spec.lora, setup, FullBatch(1, tokens)));
  return static_cast<double>(plan.total()) +
         (technique.blocks ? 0 : WholeBytes(config, technique, tokens));
}

absl::StatusOr<int64_t> LongestIn(const ModelConfig& config, DeviceClass device,
                                  const Technique& technique, double memory) {
  int64_t fits = 0, too_long = kMostSteps + 1;  // in steps
  while (too_long - fits > 1) {
    const int64_t middle = (fits + too_long) / 2;
    ASSIGN_OR_RETURN(const double bytes, BytesFor(config, device, technique, middle * kStep));
    (bytes <= memory ? fits : too_long) = middle;
  }
  return fits * kStep;
}

}  // namespace

absl::StatusOr<ContextTable> ContextsOf(const ModelConfig& config, DeviceClass device) {
  ContextTable table;
  table.base_tokens = config.max_position_embeddings;
  for (const Technique& technique : kTechniques) table.techniques.push_back(technique.name);
  for (const int64_t gigabytes : kGigabytes) {
    ContextRow row;
    row.memory_bytes = gigabytes << 30;
    for (const Technique& technique : kTechniques) {
      ASSIGN_OR_RETURN(row.tokens.emplace_back(),
                       LongestIn(config, device, technique, static_cast<double>(row.memory_bytes)));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace mozgach
