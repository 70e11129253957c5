// Placement decides which worker a job may go to, which worker gets it first, and says why not.
// Pure functions of what workers report.
#pragma once

#include <string>
#include <vector>

#include "scheduler/jobs/base_key.h"
#include "scheduler/state/worker_table.h"

namespace mozgach {

// True when one of the worker's devices has the base of `base_key` loaded.
bool HasLoaded(const WorkerState& worker, const std::string& base_key);

// Why a worker that has files of `base` cannot use them: "worker w1 cannot use its base …: …".
// Empty: no worker says so.
std::string ProblemOfBase(const WorkerTable& worker_table, const std::string& base);

// Why `worker` does not start a job that wants `base_key`, for people: "lacks base Qwen/Qwen2.5-3B;
// has mozgach/tiny".  `jobs` are those it holds leases of; `could_fetch`: it need not have the base
// (base_dispatch.h).  Empty: nothing is in the way.
std::string WhyNot(const WorkerState& worker, bool lost, const std::string& base_key,
                   const std::vector<int64_t>& jobs, bool could_fetch);

}  // namespace mozgach
