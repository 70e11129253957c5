// Sleeping that a stop request ends.
#pragma once

#include <stop_token>

#include "common/clock.h"

namespace mozgach {

// Returns after `time`, or as soon as `stop` is requested. True if it was requested.
bool SleepUnlessStopped(std::stop_token stop, Milliseconds time);

}  // namespace mozgach
