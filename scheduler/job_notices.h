// Job notices: what people should know about a job that was accepted. `submit` and `explain` show
// them. Sentences about the rows come from the reader of the submission and are stored with the job;
// sentences about the base are derived from what the scheduler knows at the time of the call.
#pragma once

#include <string>
#include <vector>

#include "common/status.h"
#include "mozgach/v1/job_service.pb.h"
#include "scheduler/ledger.h"

namespace mozgach {

// INVALID_ARGUMENT if a submission has more or longer notices than NoticeList permits.
absl::Status CheckNotices(const v1::Submission& submission);

// The submission's notices as stored: a JSON array of sentences.
std::string NoticesJson(const v1::Submission& submission);

// All notices of a job that is about to be queued.
std::vector<std::string> NoticesOf(const Ledger& ledger, const NewJob& job);

// All notices of a stored job.
absl::StatusOr<std::vector<std::string>> NoticesOf(Ledger& ledger, const Job& job);

}  // namespace mozgach
