// Where a life's files lie: in memory where the system has a place for that.
#pragma once

#include "tests/sim/dice.h"
#include "tests/sim/life.h"

namespace mozgach::sim {

// Live in a folder of its own, gone afterwards.
Outcome LiveInScratch(const Plan& plan, bool print = false);

}  // namespace mozgach::sim
