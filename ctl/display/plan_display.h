// Plans as people see them, and as programs read them.
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

// One domain's plan and all that is said of it.
struct PlannedDomain {
  DomainPlan plan;
  // The same without checkpointing where the plan has it, and with it where it has not.
  MemoryPlan otherwise;
  std::vector<Variant> variants;       // empty: nothing fits, or no memory was named
  std::vector<std::string> would_fit;  // where nothing does
  TimePlan time;
  // What attempts of this base used there; 0 attempts: unknown.
  v1::Calibration calibration;
  int64_t calibrated_bytes = 0;  // the plan's total by that; 0: as planned

  int64_t total() const { return calibrated_bytes > 0 ? calibrated_bytes : plan.memory.total(); }
};

// Domains whose plans are alike are shown once.  `speed` says where tokens per second come from,
// empty if unknown.
void PrintPlans(const std::vector<PlannedDomain>& domains, const PlanTarget& target,
                const std::string& speed);
nlohmann::ordered_json PlansJson(const std::vector<PlannedDomain>& domains,
                                 const PlanTarget& target);

void PrintContexts(const ContextTable& table);
nlohmann::ordered_json ContextsJson(const ContextTable& table);

}  // namespace mozgach
