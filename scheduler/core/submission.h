// Submission: domains become jobs, declaratively.  What is there already and has not changed stays
// as it is.
#pragma once

#include "absl/types/span.h"
#include "mozgach/v1/job_service.pb.h"
#include "scheduler/jobs/checked_submission.h"
#include "scheduler/jobs/now.h"
#include "scheduler/state/scheduler_state.h"

namespace mozgach {

// All in one transaction; nothing at all in a dry run, or where datasets are missing.
//
//   new        the domain was not known
//   changed    its spec or its data differ from its latest job's, which is superseded if pending
//   unchanged  its latest job is queued, running or succeeded with the same
//   updated    as unchanged, but for priority, labels or description, which are now the new ones
//   requeued   its latest job failed, was cancelled, or its version is gone
//
// Notices are not part of the comparison: an unchanged or updated job gets the new ones.
absl::StatusOr<v1::SubmitResponse> Submit(SchedulerState& state, const Now& now,
                                          const v1::SubmitRequest& request,
                                          absl::Span<const CheckedSubmission> submissions);

// Whether the stored job would get other notices by a submit of `job`.
bool NoticesDiffer(const Queue::Details& details, const NewJob& job);

// Queues the next part of an accepted submission (staged_submission.h): as Submit, in one
// transaction with the removal of its row.  Datasets were looked for before it was accepted.
absl::Status QueueNextPart(SchedulerState& state, const Now& now, int64_t submission);

}  // namespace mozgach
