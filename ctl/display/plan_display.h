// Prints memory plans for people and as JSON.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mozgach/v1/job_service.pb.h"
#include "nlohmann/json.hpp"
#include "planner/context_table.h"
#include "planner/time_plan.h"
#include "planner/variants.h"

namespace mozgach {

// The plan of one domain and the facts printed with it.
struct PlannedDomain {
  DomainPlan plan;
  // The plan with the opposite checkpointing mode.
  MemoryPlan otherwise;
  std::vector<Variant> variants;       // empty: nothing fits, or no memory size is known
  std::vector<std::string> would_fit;  // suggestions if nothing fits
  TimePlan time;
  // Measured memory of attempts of this base on this device. 0 attempts: unknown.
  v1::Calibration calibration;
  int64_t calibrated_bytes = 0;  // the plan's total after calibration; 0: not calibrated

  int64_t total() const { return calibrated_bytes > 0 ? calibrated_bytes : plan.memory.total(); }
};

// Prints the plans. Domains with equal plans are shown once. `speed` names the source of the tokens
// per second; empty if unknown.
void PrintPlans(const std::vector<PlannedDomain>& domains, const PlanTarget& target,
                const std::string& speed);
nlohmann::ordered_json PlansJson(const std::vector<PlannedDomain>& domains,
                                 const PlanTarget& target);

void PrintContexts(const ContextTable& table);
nlohmann::ordered_json ContextsJson(const ContextTable& table);

}  // namespace mozgach
