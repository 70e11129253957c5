#include "ctl/follow.h"

#include <map>

#include "ctl/interrupt.h"
#include "ctl/job_feed.h"

namespace mozgach {
namespace {

// A table is redrawn at most this often.
constexpr Milliseconds kFrame{100};

std::vector<v1::Job> Values(const std::map<int64_t, v1::Job>& jobs) {
  std::vector<v1::Job> values;
  for (const auto& [number, job] : jobs) values.push_back(job);
  return values;
}

// Drops the jobs that a later one of the same domain has taken the place of, but for those that
// were asked for by number.
void KeepLatest(const v1::Selector& selector, std::map<int64_t, v1::Job>* jobs) {
  std::map<std::string, int64_t> latest;
  for (const auto& [number, job] : *jobs) latest[job.domain()] = number;
  std::erase_if(*jobs, [&](const auto& entry) {
    const auto& asked = selector.jobs();
    return entry.first != latest[entry.second.domain()] &&
           std::find(asked.begin(), asked.end(), entry.first) == asked.end();
  });
}

}  // namespace

absl::StatusOr<std::vector<v1::Job>> FollowJobs(Connection& connection,
                                                const v1::Selector& selector, JobDisplay& display) {
  JobFeed feed(connection, selector);
  std::map<int64_t, v1::Job> jobs;
  for (;;) {
    const JobFeed::News news = feed.Next(kFrame);
    for (const v1::Job& job : news.changed) jobs[job.job()] = job;
    if (!selector.all()) KeepLatest(selector, &jobs);
    if (!news.changed.empty()) display.Show(Values(jobs), news.changed);
    if (Interrupted()) return absl::CancelledError("interrupted");
    if (news.ended && !news.ended->ok()) return *news.ended;
    if (news.ended) return Values(jobs);
    if (!news.changed.empty()) std::this_thread::sleep_for(kFrame);
  }
}

}  // namespace mozgach
