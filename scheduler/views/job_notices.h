// Job notices: what people should know about a job that was accepted. `submit` and `explain` show
// them. Sentences about the rows come from the reader of the submission and are stored with the
// job; sentences about the base are derived from what the scheduler knows at the time of the call.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "mozgach/v1/job_service.pb.h"
#include "scheduler/jobs/checked_submission.h"
#include "scheduler/state/scheduler_state.h"

namespace mozgach {

// The sentences about the chat templates of bases, each base looked up once: many domains of a
// submission name the same base. Lives within one call of the core.
class BaseNotices {
 public:
  explicit BaseNotices(const SchedulerState& state) : state_(state) {}
  const std::vector<std::string>& Of(const std::string& base);

 private:
  const SchedulerState& state_;
  std::map<std::string, std::vector<std::string>> sentences_;
};

// All notices of a job that is about to be queued.
std::vector<std::string> NoticesOf(BaseNotices& bases, const CheckedSubmission& checked);

// All notices of a stored job.
absl::StatusOr<std::vector<std::string>> NoticesOf(SchedulerState& state, const Job& job);

}  // namespace mozgach
