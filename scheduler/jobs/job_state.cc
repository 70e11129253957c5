#include "scheduler/jobs/job_state.h"

namespace mozgach {
namespace {

constexpr const char* kStateNames[] = {"queued", "running", "succeeded", "failed", "cancelled"};

// kMayBecome[from][to]
constexpr bool kMayBecome[5][5] = {
    // queued running succeeded failed cancelled
    {false, true, false, false, true},    // queued
    {true, false, true, true, true},      // running
    {false, false, false, false, false},  // succeeded
    {false, false, false, false, false},  // failed
    {false, false, false, false, false},  // cancelled
};

}  // namespace

const char* Name(JobState state) { return kStateNames[static_cast<int>(state)]; }

JobState JobStateFrom(std::string_view name) {
  for (const JobState state : kJobStates) {
    if (name == Name(state)) return state;
  }
  return JobState::kFailed;
}

bool MayBecome(JobState from, JobState to) {
  return kMayBecome[static_cast<int>(from)][static_cast<int>(to)];
}

bool IsTerminal(JobState state) {
  return state != JobState::kQueued && state != JobState::kRunning;
}

}  // namespace mozgach
