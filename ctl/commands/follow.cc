#include "ctl/commands/follow.h"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "ctl/client/job_feed.h"
#include "ctl/local/interrupt.h"

namespace mozgach {
namespace {

// A table is redrawn at most this often.
constexpr Milliseconds kFrame{100};

bool IsAskedFor(const v1::Selector& selector, int64_t job) {
  const auto& asked = selector.jobs();
  return std::find(asked.begin(), asked.end(), job) != asked.end();
}

// The jobs that are followed, as they were last.
class FollowedJobs {
 public:
  explicit FollowedJobs(const v1::Selector& selector) : selector_(selector) {}

  // Takes news in; returns the jobs that differ from before.
  absl::StatusOr<std::vector<v1::Job>> Merge(const JobFeed::News& news);

  size_t size() const { return jobs_.size(); }
  std::vector<v1::Job> Values() const {
    std::vector<v1::Job> values;
    for (const auto& [number, job] : jobs_) values.push_back(job);
    return values;
  }

 private:
  // Drops what the scheduler does not name any more.
  void KeepNamed(const std::vector<v1::Job>& named);
  // Drops the jobs that a later one of the same domain has taken the place of, but for those that
  // were asked for by number.
  void KeepLatest();

  const v1::Selector& selector_;
  std::map<int64_t, v1::Job> jobs_;
};

absl::StatusOr<std::vector<v1::Job>> FollowedJobs::Merge(const JobFeed::News& news) {
  std::vector<v1::Job> changed;
  for (const v1::Job& job : news.changed) {
    const auto known = jobs_.find(job.job());
    const bool is_known = known != jobs_.end();
    if (is_known && known->second.created_at() != job.created_at() &&
        IsAskedFor(selector_, job.job())) {
      return absl::NotFoundError(
          absl::StrCat("job ", job.job(), " of ", known->second.domain(),
                       " is not known any more: the scheduler now has another job of that number"));
    }
    if (is_known && google::protobuf::util::MessageDifferencer::Equals(known->second, job)) {
      continue;
    }
    jobs_[job.job()] = job;
    changed.push_back(job);
  }
  if (news.whole) KeepNamed(news.changed);
  if (!selector_.all()) KeepLatest();
  return changed;
}

void FollowedJobs::KeepNamed(const std::vector<v1::Job>& named) {
  std::set<int64_t> numbers;
  for (const v1::Job& job : named) numbers.insert(job.job());
  std::erase_if(jobs_, [&](const auto& entry) { return !numbers.contains(entry.first); });
}

void FollowedJobs::KeepLatest() {
  std::map<std::string, int64_t> latest;
  for (const auto& [number, job] : jobs_) latest[job.domain()] = number;
  std::erase_if(jobs_, [&](const auto& entry) {
    return entry.first != latest[entry.second.domain()] && !IsAskedFor(selector_, entry.first);
  });
}

}  // namespace

absl::StatusOr<std::vector<v1::Job>> FollowJobs(Connection& connection,
                                                const v1::Selector& selector, JobDisplay& display,
                                                Milliseconds timeout) {
  JobFeed feed(connection, selector, timeout);
  FollowedJobs jobs(selector);
  for (;;) {
    const JobFeed::News news = feed.Next(kFrame);
    if (!news.back.empty()) display.Back(news.back);
    const size_t before = jobs.size();
    ASSIGN_OR_RETURN(const std::vector<v1::Job> changed, jobs.Merge(news));
    if (jobs.size() != before || !changed.empty()) display.Show(jobs.Values(), changed);
    if (Interrupted()) return absl::CancelledError("interrupted");
    if (news.ended && !news.ended->ok()) return *news.ended;
    if (news.ended) return jobs.Values();
    if (!news.waiting.empty()) display.Away(news.waiting);
    if (!changed.empty()) std::this_thread::sleep_for(kFrame);
  }
}

}  // namespace mozgach
