// A Submission holds the domains and datasets that `mozgachctl submit` has read and checked before
// it calls the scheduler.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/dataset/dataset_notices.h"
#include "common/status.h"
#include "mozgach/v1/job_service.pb.h"
#include "planner/token_estimate.h"

namespace mozgach {

// A dataset at the time of its check.
struct DatasetFile {
  std::filesystem::path path;
  std::string sha256;
  uint64_t size = 0;
  RowTokens rows;  // an estimate; rows are not cut
  std::shared_ptr<const DatasetFacts> facts;
};

struct Submission {
  v1::SubmitRequest request;
  std::map<std::string, DatasetFile> datasets;  // by digest
};

// Reads the domain files and every row of their datasets. INVALID_ARGUMENT lists the first 100
// problems of all files, one per line ("path:line:column: …").
absl::StatusOr<Submission> ReadSubmission(const std::vector<std::string>& files);

}  // namespace mozgach
