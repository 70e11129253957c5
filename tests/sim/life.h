// A life of a fleet, from the first submit through chaos to an empty queue.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "tests/sim/plan.h"

namespace mozgach::sim {

struct Outcome {
  std::string violation;  // empty: everything held
  uint64_t trace = 0;     // the hash of the trace
  int64_t jobs = 0;       // lives of jobs, from submit to their end
  int64_t attempts = 0;
  int64_t calls = 0;
  int64_t stale_reports = 0;
  int64_t restores = 0;
  int64_t collected = 0;  // jobs, versions, blobs and the like that retention removed
  int64_t deaths = 0;     // deaths of the scheduler
  double simulated_seconds = 0;
};

// Plays the life.  `print`: every step of the trace goes to stdout.  The registry's files are made
// below `folder` and removed at the end.
Outcome Live(const Plan& plan, const std::filesystem::path& folder, bool print = false);

}  // namespace mozgach::sim
