// A worker on which one domain after another fails is sick, not the domains: it is given nothing
// for a while (quarantine_seconds, doubled each time in a row).  Then it gets one job, to show
// whether it is well; a success ends the matter, a failure begins the next quarantine.
//
// Kept in memory only: a restarted scheduler gives every worker another chance.
#pragma once

#include <string>

#include "scheduler/jobs/failure.h"
#include "scheduler/jobs/now.h"
#include "scheduler/state/scheduler_state.h"

namespace mozgach {

inline bool IsQuarantined(const WorkerState& worker, const Now& now) {
  return now.since_boot < worker.health.quarantined_until;
}

// It has been in quarantine and has not shown since that it is well.
inline bool IsOnProbation(const WorkerState& worker) { return worker.health.quarantines > 0; }

// An attempt of `domain` has failed on `worker`.  What is the domain's own fault, or nobody's, is
// passed over.  Quarantines the worker, with an event, where it has become too much.
void HearFailure(SchedulerState& state, const Now& now, const std::string& worker,
                 const std::string& domain, FailureClass failure, const std::string& message);

// A job succeeded there, or an operator says so.
void HearItIsWell(SchedulerState& state, const std::string& worker);

// "is quarantined for another 540.0 s: 3 domains failed there in a row, …".
std::string ShowQuarantine(const WorkerState& worker, const Now& now);

}  // namespace mozgach
