// Settings of a domain that fit a device: three to choose from, or what would make it fit.  Pure
// functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "planner/memory_plan.h"

namespace mozgach {

// Where a job is to run.
struct PlanTarget {
  DeviceClass device = DeviceClass::kGpu;
  int64_t memory_bytes = 0;  // bytes a job may use; 0: unlimited
  int64_t threads = 1;
  // Peaks that were observed there, against what was planned: a plan counts as so many times its
  // bytes.
  double factor = 1;
};

// A domain as it would run, and what that takes.
struct DomainPlan {
  DomainSpec spec;
  Checkpointing checkpointing = Checkpointing::kNone;
  MemoryPlan memory;
  bool fits = true;
};

// What a plan's total comes to on `target`, bytes.
int64_t Calibrated(const MemoryPlan& plan, const PlanTarget& target);

// The domain as it stands; gradient_checkpointing "auto" is per layer only where it would not fit
// otherwise.
absl::StatusOr<DomainPlan> PlanDomain(const ModelConfig& config, const DomainSpec& spec,
                                      const PlanTarget& target, const DomainRows& rows);

struct Variant {
  std::string name;  // smallest | balanced | fullest
  DomainPlan plan;
};

// Three that fit.  `smallest` and `balanced` have the domain's effective batch (rows per step),
// `fullest` that or eight, whichever is more.  `smallest` takes the least memory; `balanced` has
// the domain's own rank and the largest micro-batch that needs at most 7/8 of the memory; `fullest`
// the largest micro-batch and rank 2·r that fit, without checkpointing where that fits.  Fewer
// where they would be alike; none where nothing fits.
absl::StatusOr<std::vector<Variant>> VariantsThatFit(const ModelConfig& config,
                                                     const DomainSpec& spec,
                                                     const PlanTarget& target,
                                                     const DomainRows& rows);

// For a domain that fits in no variant: one change each that would make the smallest fit, or how
// much memory would ("data.max_length: 512", "a device with 21.3 GiB").
absl::StatusOr<std::vector<std::string>> WhatWouldFit(const ModelConfig& config,
                                                      const DomainSpec& spec,
                                                      const PlanTarget& target,
                                                      const DomainRows& rows);

// What `variant` changes, as keys of the domain file ready to paste.
std::string DomainKeys(const Variant& variant);

}  // namespace mozgach
