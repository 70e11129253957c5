// Submits through the front executor.  A request of many domains is taken in parts
// (staged_submission.h), and after each the executor serves others for as long as the part took.
#pragma once

#include <vector>

#include "common/status.h"
#include "mozgach/v1/job_service.pb.h"
#include "scheduler/executor/core_executor.h"
#include "scheduler/jobs/checked_submission.h"

namespace mozgach {

// `request` as it came, `how` with the actor that counts, `checked` read from `request`.  An error
// after the request was accepted says so: its domains will be queued all the same.
absl::StatusOr<v1::SubmitResponse> SubmitInParts(CoreExecutor& executor,
                                                 const v1::SubmitRequest& how,
                                                 const v1::SubmitRequest& request,
                                                 std::vector<CheckedSubmission> checked);

}  // namespace mozgach
