// A JobFilter is which jobs of a selection are meant, by what they are rather than by their names.
// It is held against what the scheduler lists: a selection by labels becomes one by numbers.
#pragma once

#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "common/status.h"
#include "ctl/client/connection.h"

namespace mozgach {

struct JobFilter {
  std::vector<std::string> labels;  // KEY=VALUE, every one of them
  std::vector<std::string> states;  // one of them; none: any

  bool empty() const { return labels.empty() && states.empty(); }
  bool Matches(const v1::Job& job) const;
};

// -l, --label KEY=VALUE; the filter outlives the verb.
void AddLabelOption(CLI::App& verb, JobFilter& filter);
// --state STATE.
void AddStateOption(CLI::App& verb, JobFilter& filter);

// Those of `jobs` that match, in their order.
std::vector<v1::Job> Filtered(const JobFilter& filter, std::vector<v1::Job> jobs);

// The numbers of those jobs of `selector` that match.  They may be none, which to the scheduler
// would mean every domain: who asks looks first.
absl::StatusOr<std::vector<int64_t>> NumbersOf(Connection& connection, const v1::Selector& selector,
                                               const JobFilter& filter);

}  // namespace mozgach
