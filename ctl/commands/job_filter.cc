#include "ctl/commands/job_filter.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/domain/spec_value.h"

namespace mozgach {
namespace {

bool HasLabel(const v1::Job& job, const std::string& label) {
  const size_t equals = label.find('=');
  const auto found = job.labels().find(label.substr(0, equals));
  return found != job.labels().end() && found->second == label.substr(equals + 1);
}

std::string CheckLabel(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals != std::string::npos && equals > 0) return "";
  return absl::StrCat(Quoted(text), " is not a label; write KEY=VALUE, like team=law");
}

}  // namespace

bool JobFilter::Matches(const v1::Job& job) const {
  if (!states.empty() && std::find(states.begin(), states.end(), job.state()) == states.end()) {
    return false;
  }
  return std::all_of(labels.begin(), labels.end(),
                     [&](const std::string& label) { return HasLabel(job, label); });
}

void AddLabelOption(CLI::App& verb, JobFilter& filter) {
  verb.add_option("-l,--label", filter.labels,
                  "Only jobs whose domain has this label, KEY=VALUE; again for more, which must "
                  "all be there")
      ->allow_extra_args(false)
      ->check(CheckLabel);
}

void AddStateOption(CLI::App& verb, JobFilter& filter) {
  verb.add_option("--state", filter.states, "Only jobs in this state; again for more")
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"queued", "running", "succeeded", "failed", "cancelled"}));
}

std::vector<v1::Job> Filtered(const JobFilter& filter, std::vector<v1::Job> jobs) {
  std::erase_if(jobs, [&](const v1::Job& job) { return !filter.Matches(job); });
  return jobs;
}

absl::StatusOr<std::vector<int64_t>> NumbersOf(Connection& connection, const v1::Selector& selector,
                                               const JobFilter& filter) {
  v1::ListRequest request;
  *request.mutable_selector() = selector;
  ASSIGN_OR_RETURN(const v1::ListResponse response,
                   connection.Call(&v1::JobService::Stub::List, request));
  std::vector<int64_t> numbers;
  for (const v1::Job& job : response.jobs()) {
    if (filter.Matches(job)) numbers.push_back(job.job());
  }
  return numbers;
}

}  // namespace mozgach
