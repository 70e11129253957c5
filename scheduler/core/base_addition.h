// How the scheduler comes to hold a base.
#pragma once

#include "mozgach/v1/base_service.pb.h"
#include "scheduler/jobs/now.h"
#include "scheduler/state/scheduler_state.h"

namespace mozgach {

// See BaseService.AddBase; blobs are looked for, not read.  INVALID_ARGUMENT where the manifest is
// not valid (proto/base_manifest.h).
absl::StatusOr<v1::AddBaseResponse> AddBase(SchedulerState& state, const Now& now,
                                            const v1::AddBaseRequest& request);

}  // namespace mozgach
