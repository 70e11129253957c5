#include "scheduler/state/change_feed.h"

namespace mozgach {

void ChangeFeed::Touch(int64_t job) {
  int64_t& change = change_by_job_[job];
  if (change != 0) job_by_change_.erase(change);
  change = ++latest_;
  job_by_change_.emplace(change, job);
  if (job_by_change_.size() > kept_) {
    const auto oldest = job_by_change_.begin();
    forgotten_ = oldest->first;
    change_by_job_.erase(oldest->second);
    job_by_change_.erase(oldest);
  }
}

std::optional<std::vector<int64_t>> ChangeFeed::Since(int64_t since) const {
  if (since < forgotten_) return std::nullopt;
  std::vector<int64_t> jobs;
  for (auto it = job_by_change_.upper_bound(since); it != job_by_change_.end(); ++it) {
    jobs.push_back(it->second);
  }
  return jobs;
}

}  // namespace mozgach
