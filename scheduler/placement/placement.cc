#include "scheduler/placement/placement.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace mozgach {
namespace {

constexpr size_t kBasesNamed = 5;

std::string WhatItHas(const WorkerState& worker) {
  if (worker.bases.empty()) return "has no base at all: check its --bases";
  std::vector<std::string> names;
  for (const v1::Base& base : worker.bases) {
    if (names.size() == kBasesNamed) {
      names.push_back(absl::StrCat(worker.bases.size() - kBasesNamed, " more"));
      break;
    }
    names.push_back(base.name());
  }
  return absl::StrCat("has ", absl::StrJoin(names, ", "));
}

// "job 4", "jobs 4 and 6", "jobs 4, 6 and 9".
std::string JobsInWords(const std::vector<int64_t>& jobs) {
  if (jobs.size() == 1) return absl::StrCat("job ", jobs.front());
  return absl::StrCat("jobs ", absl::StrJoin(jobs.begin(), jobs.end() - 1, ", "), " and ",
                      jobs.back());
}

std::string Lacks(const WorkerState& worker, const std::string& base_key) {
  const std::string base = BaseOf(base_key);
  for (const v1::Base& offered : worker.bases) {
    if (offered.name() != base) continue;
    if (!offered.problem().empty()) {
      return absl::StrCat("cannot use its base ", base, ": ", offered.problem());
    }
    const std::string revision = base_key.substr(base.size() + 1);
    if (offered.revisions().empty()) {
      return absl::StrCat("has ", base,
                          " as a plain directory, whose revision nobody knows; the job "
                          "asks for ",
                          revision, ": leave `revision` out of the domain file");
    }
    return absl::StrCat("lacks revision ", revision, " of ", base, "; has ",
                        absl::StrJoin(offered.revisions(), ", "));
  }
  return absl::StrCat("lacks base ", base, "; ", WhatItHas(worker));
}

}  // namespace

bool HasLoaded(const WorkerState& worker, const std::string& base_key) {
  const std::string base = BaseOf(base_key);
  return std::any_of(worker.devices.begin(), worker.devices.end(),
                     [&](const v1::Device& device) { return device.loaded_base() == base; });
}

std::string ProblemOfBase(const WorkerTable& worker_table, const std::string& base) {
  for (const auto& [name, worker] : worker_table.workers()) {
    for (const v1::Base& offered : worker.bases) {
      if (offered.name() != base || offered.problem().empty()) continue;
      return absl::StrCat("worker ", name, " cannot use its base ", base, ": ", offered.problem());
    }
  }
  return "";
}

std::string WhyNot(const WorkerState& worker, bool lost, const std::string& base_key,
                   const std::vector<int64_t>& jobs, bool could_fetch) {
  if (worker.keys.count(base_key) == 0 && !could_fetch) return Lacks(worker, base_key);
  // When it called before the scheduler started is known to ten minutes only.
  if (lost && !worker.heard) return "has not called since the scheduler started";
  if (lost) return absl::StrCat("has not called since ", FormatTime(worker.last_call));
  if (worker.drain || worker.draining) return "drains: it takes no new job";
  if (!jobs.empty() && worker.free_slots <= static_cast<int64_t>(worker.unreported)) {
    return absl::StrCat("busy with ", JobsInWords(jobs));
  }
  // Only devices whose trainer is up are reported.
  if (worker.devices.empty()) return "its trainer is starting";
  if (worker.free_slots == 0) return "has no free device just now";
  return "";
}

}  // namespace mozgach
