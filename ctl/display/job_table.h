// Prints jobs for people: the table of `ps`, the line for a change, the summary of a fleet.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "ctl/display/table.h"
#include "mozgach/v1/job_service.pb.h"

namespace mozgach {

// True for succeeded, failed and cancelled.
bool IsOver(const v1::Job& job);

// One row per job, in the order given.  LOSS is the running mean of the training loss, EVAL the
// newest loss on the validation rows.
Table JobTable(const std::vector<v1::Job>& jobs);

// Returns a summary such as "12 jobs: 1 running, 8 queued, 3 succeeded".
std::string Summary(const std::vector<v1::Job>& jobs);

// Sorts by state: running, failed, queued, cancelled, succeeded; by number within a state.
std::vector<v1::Job> ByUrgency(std::vector<v1::Job> jobs);

// Returns the line for a change, such as "house-dates: running, step 40/160, loss 1.2346, on
// worker1".
std::string OneLine(const v1::Job& job);

// Returns how long before `now` an RFC 3339 time was: "3 s ago", "5 min ago", "2 h ago", "4 d ago".
// Returns other texts unchanged.
std::string Ago(const std::string& time, absl::Time now);

}  // namespace mozgach
