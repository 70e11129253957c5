// Explanations: why a job waits, worker by worker, or how it ended, attempt by attempt.
#pragma once

#include <string>

#include "mozgach/v1/job_service.pb.h"
#include "scheduler/jobs/now.h"
#include "scheduler/state/scheduler_state.h"

namespace mozgach {

// One line about a queued job: "no worker has base Qwen/Qwen2.5-3B".
std::string WhyItWaits(SchedulerState& state, const Now& now, const Job& job);

// The whole story of a job in any state.
absl::StatusOr<v1::ExplainResponse> Explain(SchedulerState& state, const Now& now, int64_t job);

// "; did you mean Qwen/Qwen2.5-3B?" of a base that neither the scheduler nor a worker knows, where
// one with a name like it is known; otherwise "".
std::string MeantBase(const SchedulerState& state, const std::string& base);

}  // namespace mozgach
