// A JobFilter selects jobs by label and state. It is applied to the scheduler's list of jobs, so
// that a selection by labels becomes a selection by numbers.
#pragma once

#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "common/status.h"
#include "ctl/client/connection.h"

namespace mozgach {

struct JobFilter {
  std::vector<std::string> labels;  // KEY=VALUE; all must match
  std::vector<std::string> states;  // one must match; empty: any state

  bool empty() const { return labels.empty() && states.empty(); }
  bool Matches(const v1::Job& job) const;
};

// Adds -l, --label KEY=VALUE. `filter` must outlive `verb`.
void AddLabelOption(CLI::App& verb, JobFilter& filter);
// Adds --state STATE. `filter` must outlive `verb`.
void AddStateOption(CLI::App& verb, JobFilter& filter);

// Returns the matching jobs, in the order of `jobs`.
std::vector<v1::Job> Filtered(const JobFilter& filter, std::vector<v1::Job> jobs);

// Returns the numbers of the matching jobs of `selector`. The result may be empty. The caller must
// check for that, because to the scheduler an empty selection means every domain.
absl::StatusOr<std::vector<int64_t>> NumbersOf(Connection& connection, const v1::Selector& selector,
                                               const JobFilter& filter);

}  // namespace mozgach
