#include "planner/variants.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace mozgach {
namespace {

constexpr int64_t kLargestBatch = 256;
constexpr int64_t kShortestLength = 32;

int64_t EffectiveBatch(const TrainingSpec& training) {
  return training.per_device_train_batch_size * training.gradient_accumulation_steps;
}

// The same rows per step in micro-batches of `batch`, which divides them.
void Split(int64_t batch, TrainingSpec* training) {
  const int64_t effective = EffectiveBatch(*training);
  training->per_device_train_batch_size = batch;
  training->gradient_accumulation_steps = effective / batch;
}

absl::StatusOr<DomainPlan> PlanAs(const ModelConfig& config, DomainSpec spec,
                                  const PlanTarget& target, const DomainRows& rows,
                                  Checkpointing checkpointing) {
  ComputeSetup setup = SetupOf(config, spec, target.device, target.threads);
  setup.checkpointing = checkpointing;
  DomainPlan plan;
  plan.checkpointing = checkpointing;
  ASSIGN_OR_RETURN(plan.memory,
                   PlanMemory(config, spec.lora, setup, LargestStep(config, spec, setup, rows)));
  plan.fits = target.memory_bytes == 0 || Calibrated(plan.memory, target) <= target.memory_bytes;
  plan.spec = std::move(spec);
  return plan;
}

DomainSpec Smallest(DomainSpec spec) {
  spec.quantization.load_in_4bit = true;
  spec.quantization.bnb_4bit_use_double_quant = true;
  Split(1, &spec.training);
  return spec;
}

// The domain with the largest micro-batch within `bytes`; not fitting where there is none.
absl::StatusOr<DomainPlan> LargestBatch(const ModelConfig& config, const DomainSpec& spec,
                                        PlanTarget target, const DomainRows& rows) {
  DomainPlan best;
  best.fits = false;
  for (const Checkpointing mode : {Checkpointing::kNone, Checkpointing::kPerLayer}) {
    const int64_t effective = EffectiveBatch(spec.training);
    for (int64_t batch = 1; batch <= std::min(kLargestBatch, effective); ++batch) {
      if (effective % batch != 0) continue;
      DomainSpec tried = spec;
      Split(batch, &tried.training);
      ASSIGN_OR_RETURN(DomainPlan plan, PlanAs(config, tried, target, rows, mode));
      if (!plan.fits) break;
      best = std::move(plan);
    }
    if (best.fits) break;
  }
  return best;
}

bool Alike(const DomainPlan& a, const DomainPlan& b) {
  return a.memory.total() == b.memory.total() && a.checkpointing == b.checkpointing;
}

}  // namespace

int64_t Calibrated(const MemoryPlan& plan, const PlanTarget& target) {
  return static_cast<int64_t>(static_cast<double>(plan.total()) * target.factor);
}

absl::StatusOr<DomainPlan> PlanDomain(const ModelConfig& config, const DomainSpec& spec,
                                      const PlanTarget& target, const DomainRows& rows) {
  const std::string& asked = spec.training.gradient_checkpointing;
  if (asked == "true") return PlanAs(config, spec, target, rows, Checkpointing::kPerLayer);
  ASSIGN_OR_RETURN(DomainPlan plan, PlanAs(config, spec, target, rows, Checkpointing::kNone));
  if (plan.fits || asked == "false") return plan;
  return PlanAs(config, spec, target, rows, Checkpointing::kPerLayer);
}

absl::StatusOr<std::vector<Variant>> VariantsThatFit(const ModelConfig& config,
                                                     const DomainSpec& spec,
                                                     const PlanTarget& target,
                                                     const DomainRows& rows) {
  std::vector<Variant> variants;
  const auto add = [&](const char* name, DomainPlan plan) {
    if (!plan.fits) return;
    for (const Variant& other : variants) {
      if (Alike(other.plan, plan)) return;
    }
    variants.push_back({name, std::move(plan)});
  };
  ASSIGN_OR_RETURN(DomainPlan smallest,
                   PlanAs(config, Smallest(spec), target, rows, Checkpointing::kPerLayer));
  add("smallest", std::move(smallest));
  PlanTarget roomy = target;
  roomy.memory_bytes = target.memory_bytes - target.memory_bytes / 8;
  ASSIGN_OR_RETURN(DomainPlan balanced, LargestBatch(config, spec, roomy, rows));
  add("balanced", std::move(balanced));
  DomainSpec richer = spec;
  richer.lora.r = std::min<int64_t>(4096, 2 * spec.lora.r);
  if (spec.lora.lora_alpha) richer.lora.lora_alpha = 2 * *spec.lora.lora_alpha;
  richer.training.gradient_accumulation_steps =
      std::max<int64_t>(1, 8 / spec.training.per_device_train_batch_size);
  if (EffectiveBatch(spec.training) >= 8) richer.training = spec.training;
  ASSIGN_OR_RETURN(DomainPlan fullest, LargestBatch(config, richer, target, rows));
  add("fullest", std::move(fullest));
  return variants;
}

absl::StatusOr<std::vector<std::string>> WhatWouldFit(const ModelConfig& config,
                                                      const DomainSpec& spec,
                                                      const PlanTarget& target,
                                                      const DomainRows& rows) {
  std::vector<std::string> changes;
  DomainSpec smallest = Smallest(spec);
  ASSIGN_OR_RETURN(const DomainPlan plan,
                   PlanAs(config, smallest, target, rows, Checkpointing::kPerLayer));
  if (plan.fits) {
    changes.push_back("one of the variants");
    return changes;
  }
  DomainSpec shorter = smallest;
  while (shorter.data.max_length / 2 >= kShortestLength) {
    shorter.data.max_length /= 2;
    ASSIGN_OR_RETURN(const DomainPlan tried,
                     PlanAs(config, shorter, target, rows, Checkpointing::kPerLayer));
    if (!tried.fits) continue;
    changes.push_back(absl::StrCat("data.max_length: ", shorter.data.max_length));
    break;
  }
  DomainSpec thinner = smallest;
  while (thinner.lora.r > 1) {
    thinner.lora.r /= 2;
    ASSIGN_OR_RETURN(const DomainPlan tried,
                     PlanAs(config, thinner, target, rows, Checkpointing::kPerLayer));
    if (!tried.fits) continue;
    changes.push_back(absl::StrCat("lora.r: ", thinner.lora.r));
    break;
  }
  changes.push_back(
      absl::StrFormat("a device with %.1f GiB",
                      static_cast<double>(Calibrated(plan.memory, target)) / 0x1p30 + 0.05));
  changes.push_back("a smaller base");
  return changes;
}

std::string DomainKeys(const Variant& variant) {
  const DomainSpec& spec = variant.plan.spec;
  const bool checkpoint = variant.plan.checkpointing == Checkpointing::kPerLayer;
  return absl::StrCat(
      "quantization: {load_in_4bit: ", spec.quantization.load_in_4bit ? "true" : "false",
      ", bnb_4bit_use_double_quant: ",
      spec.quantization.bnb_4bit_use_double_quant ? "true" : "false", "}\n",
      "lora: {r: ", spec.lora.r, ", lora_alpha: ", spec.lora.Alpha(), "}\n",
      "training: {per_device_train_batch_size: ", spec.training.per_device_train_batch_size,
      ", gradient_accumulation_steps: ", spec.training.gradient_accumulation_steps,
      ", gradient_checkpointing: ", checkpoint ? "true" : "false", "}\n");
}

}  // namespace mozgach
