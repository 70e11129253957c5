// Submission: domains become jobs, declaratively.  What is there already and has not changed stays
// as it is.
#pragma once

#include <string>
#include <vector>

#include "common/domain_spec.h"
#include "mozgach/v1/job_service.pb.h"
#include "scheduler/ledger.h"
#include "scheduler/moment.h"

namespace mozgach {

// One domain of a request, checked.
struct Draft {
  DomainSpec spec;
  NewJob job;
};

// Checks a request without looking at any state (and so without holding any lock).
// INVALID_ARGUMENT names the domain and says what is wrong: nothing of the request is taken.
absl::StatusOr<std::vector<Draft>> ReadDrafts(const v1::SubmitRequest& request);

// SHA-256 over role, order and digest of the files.
std::string DatasetDigest(const std::vector<v1::Dataset>& datasets);

// All in one transaction; nothing at all in a dry run, or where datasets are missing.
//
//   new        the domain was not known
//   changed    its spec or its data differ from its latest job's, which is superseded if pending
//   unchanged  its latest job is queued, running or succeeded with the same
//   updated    as unchanged, but for priority, labels or description, which are now the new ones
//   requeued   its latest job failed, was cancelled, or its version is gone
//
// Notices are not part of the comparison: an unchanged or updated job gets the new ones.
absl::StatusOr<v1::SubmitResponse> Submit(Ledger& ledger, const Moment& now,
                                          const v1::SubmitRequest& request,
                                          const std::vector<Draft>& drafts);

}  // namespace mozgach
