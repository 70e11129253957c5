// Parses the names of jobs and versions on a command line.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/status.h"
#include "mozgach/v1/job_service.pb.h"

namespace mozgach {

// Parses job numbers and domain names. INVALID_ARGUMENT names a word that is neither.
absl::StatusOr<v1::Selector> ParseSelector(const std::vector<std::string>& words);

// A job number, or a domain, which stands for its latest job.
struct JobName {
  int64_t job = 0;  // 0: use `domain`
  std::string domain;
};
absl::StatusOr<JobName> ParseJobName(const std::string& word);

// DOMAIN, DOMAIN@VERSION or DOMAIN@ALIAS. `version` is empty for DOMAIN alone.
struct VersionName {
  std::string domain;
  std::string version;
};
absl::StatusOr<VersionName> ParseVersion(const std::string& word);

// Returns "user@host" of the caller, for the event log.
std::string Actor();

}  // namespace mozgach
