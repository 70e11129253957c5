// Jobs as people see them: the table of `ps`, the one line of a change, the sum of a fleet.
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

// "12 jobs: 1 running, 8 queued, 3 succeeded".
std::string Summary(const std::vector<v1::Job>& jobs);

// What runs, then what failed, what waits, what is done; by number within each.
std::vector<v1::Job> ByUrgency(std::vector<v1::Job> jobs);

// "house-dates: running, step 40/160, loss 1.234, worker1": what a person is told of a change.
std::string OneLine(const v1::Job& job);

// How long before `now` an RFC 3339 time was: "3 s ago", "5 min ago", "2 h ago", "4 d ago"; what is
// no time stays as it is.
std::string Ago(const std::string& time, absl::Time now);

}  // namespace mozgach
