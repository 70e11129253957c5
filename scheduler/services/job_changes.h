// JobChanges is what one watcher has seen of the jobs it selected: asked again, it tells only what
// is new.  One thread at a time; the core is given to each call.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "mozgach/v1/job_service.pb.h"
#include "scheduler/core/core.h"

namespace mozgach {

class JobChanges {
 public:
  explicit JobChanges(v1::Selector selector) : selector_(std::move(selector)) {}

  // All selected jobs at the first call, then those that have changed since; newer jobs of selected
  // domains join.  NOT_FOUND as Select.
  absl::StatusOr<std::vector<v1::Job>> Next(Core& core, const Now& now);

  // True when something was asked for and every job of it has been told in a terminal state.
  bool Over() const { return started_ && pending_.empty(); }

 private:
  absl::StatusOr<std::vector<int64_t>> Candidates(SchedulerState& state);
  absl::StatusOr<bool> IsSelected(SchedulerState& state, const v1::Job& job);

  const v1::Selector selector_;
  bool started_ = false;
  int64_t seen_ = 0;            // change number
  std::set<int64_t> selected_;  // jobs told so far
  std::set<int64_t> pending_;   // jobs of these that are not in a terminal state
};

}  // namespace mozgach
