// A Plan is what befalls one simulated fleet: its machines, what people ask of it, and which faults
// strike when.  Made from a seed; a smaller one is made from it by leaving items out.
//
// Chance below the items (how long a call takes, which training fails) is drawn from the seed by
// the name of what it concerns, so that an item left out disturbs the others little.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/clock.h"

namespace mozgach::sim {

enum class Deed {
  // Faults.  `length` is how long they last.
  kCrashScheduler,
  kDieAtStep,  // the scheduler dies in the middle of its `number`-th half step from now
  kDiskError,  // the step so many halves away fails; an odd number: although it was done
  kPauseScheduler,
  kJumpClock,  // its wall clock is set by `number` milliseconds
  kFillDisk,
  kBackUp,
  kRestore,  // from the last backup, the scheduler down for `length`
  kCollect,  // what nobody needs goes, as if a hundred years had passed, while people ask for more
  kLoseStaging,  // somebody clears staging/ by hand
  kCrashWorker,
  kPauseWorker,   // its process alone; trainers go on
  kSuspendHost,   // everything on it
  kTwin,          // a second worker of its name starts, and the first goes on
  kBadNetwork,    // calls of that host are lost, late, doubled
  kCutNetwork,    // nothing gets through
  kSickTrainers,  // trainings of that host fail in every way
  // What people ask for.
  kSubmit,      // `number` domains, some of them changed
  kCancel,      // a job that runs or waits
  kCancelLate,  // the newest running job: likely while it publishes
  kCancelAll,
  kRetry,  // every job that can be retried
  kDrain,  // is undone after `length`
  kLook,   // list, explain, events
};

const char* Name(Deed deed);

struct Item {
  Milliseconds at{0};
  Deed deed = Deed::kLook;
  int host = 0;
  Milliseconds length{0};
  int64_t number = 0;

  bool operator==(const Item&) const = default;
};

struct Plan {
  uint64_t seed = 0;
  int hosts = 0;              // each has one worker and one to two devices
  Milliseconds chaos{0};      // after it come no faults and no questions
  bool one_survivor = false;  // only host 0 is left at the end
  std::vector<Item> items;    // sorted by time
};

Plan MakePlan(uint64_t seed);

// "  12.500 crash_worker host 1 for 30.000 s", a line for each item.
std::string Show(const Plan& plan);

}  // namespace mozgach::sim
