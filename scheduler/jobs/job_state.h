// The states of a job, and the one table of what may follow what.
//
//   queued ──► running ──► succeeded
//     │  ▲        │ ├────► failed
//     │  └────────┘ └────► cancelled
//     └──────────────────► cancelled
//
// succeeded, failed and cancelled are terminal: such a job never changes again, and is done over by
// a new job that names it.
#pragma once

#include <string_view>

namespace mozgach {

enum class JobState { kQueued, kRunning, kSucceeded, kFailed, kCancelled };

inline constexpr JobState kJobStates[] = {JobState::kQueued, JobState::kRunning,
                                          JobState::kSucceeded, JobState::kFailed,
                                          JobState::kCancelled};

// "queued", …: as stored and shown.
const char* Name(JobState state);
// The inverse.  REQUIRES: a name out of the database, whose CHECK allows no other.
JobState JobStateFrom(std::string_view name);

bool MayBecome(JobState from, JobState to);
bool IsTerminal(JobState state);

}  // namespace mozgach
