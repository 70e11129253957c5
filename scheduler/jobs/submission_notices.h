// The notices of a submission: sentences about its rows, written by the program that read them.
// Pure functions.
#pragma once

#include <string>

#include "common/status.h"
#include "mozgach/v1/job_service.pb.h"

namespace mozgach {

// INVALID_ARGUMENT if a submission has more or longer notices than NoticeList permits.
absl::Status CheckNotices(const v1::Submission& submission);

// The submission's notices as they are stored with the job: a JSON array of sentences.
std::string NoticesJson(const v1::Submission& submission);

}  // namespace mozgach
