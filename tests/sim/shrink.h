// Makes a failing plan small.
#pragma once

#include <string>

#include "tests/sim/plan.h"

namespace mozgach::sim {

// The smallest plan that was found, with some of the items of `plan`, in which a life fails.  What
// fails may be something else than `violation` only where nothing smaller fails alike.
Plan Shrink(const Plan& plan, const std::string& violation);

}  // namespace mozgach::sim
