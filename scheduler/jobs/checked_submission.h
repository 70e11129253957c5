// A CheckedSubmission is one domain of a submit request, checked.
#pragma once

#include <string>
#include <vector>

#include "common/domain/domain_spec.h"
#include "common/status.h"
#include "mozgach/v1/job_service.pb.h"
#include "scheduler/jobs/job.h"

namespace mozgach {

// One domain of a request, checked.
struct CheckedSubmission {
  DomainSpec spec;
  NewJob job;
};

// Checks a request without looking at any state (and so without holding any lock).
// INVALID_ARGUMENT names the domain and says what is wrong: nothing of the request is taken.
absl::StatusOr<std::vector<CheckedSubmission>> CheckSubmissions(const v1::SubmitRequest& request);

// SHA-256 over role, order and digest of the files.
std::string DatasetDigest(const std::vector<v1::Dataset>& datasets);

}  // namespace mozgach
