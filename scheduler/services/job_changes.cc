#include "scheduler/services/job_changes.h"

#include <algorithm>
#include <optional>

#include "scheduler/views/job_view.h"

namespace mozgach {

absl::StatusOr<std::vector<v1::Job>> JobChanges::Next(Core& core, const Now& now) {
  SchedulerState& state = core.state();
  const int64_t latest = state.changes.latest();
  if (started_ && latest == seen_) return std::vector<v1::Job>();
  ASSIGN_OR_RETURN(const std::vector<int64_t> candidates, Candidates(state));
  std::vector<v1::Job> news;
  for (const int64_t number : candidates) {
    ASSIGN_OR_RETURN(v1::Job job, ViewJob(state, now, number, false));
    ASSIGN_OR_RETURN(const bool selected, IsSelected(state, job));
    if (!selected) continue;
    selected_.insert(number);
    if (IsTerminal(JobStateFrom(job.state()))) {
      pending_.erase(number);
    } else {
      pending_.insert(number);
    }
    news.push_back(std::move(job));
  }
  started_ = true;
  seen_ = latest;
  return news;
}

absl::StatusOr<std::vector<int64_t>> JobChanges::Candidates(SchedulerState& state) {
  if (!started_) return Select(state, selector_, true);
  const std::optional<std::vector<int64_t>> changed = state.changes.Since(seen_);
  if (changed.has_value()) return *changed;
  return Select(state, selector_, true);
}

absl::StatusOr<bool> JobChanges::IsSelected(SchedulerState& state, const v1::Job& job) {
  if (!started_ || selected_.count(job.job()) > 0) return true;
  const auto& domains = selector_.domains();
  const bool every_domain = domains.empty() && selector_.jobs().empty();
  if (!every_domain && std::find(domains.begin(), domains.end(), job.domain()) == domains.end()) {
    return false;
  }
  if (selector_.all()) return true;
  ASSIGN_OR_RETURN(const std::optional<int64_t> latest, state.queue.LatestOf(job.domain()));
  return latest == job.job();
}

}  // namespace mozgach
