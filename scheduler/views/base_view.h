// Bases as `mozgachctl bases ls` shows them.
#pragma once

#include "mozgach/v1/base_service.pb.h"
#include "scheduler/jobs/now.h"
#include "scheduler/state/scheduler_state.h"

namespace mozgach {

// The bases of the catalog and of the workers that are not lost, by name.
v1::ListBasesResponse ViewBases(const SchedulerState& state, const Now& now);

}  // namespace mozgach
