// A Submission is what `mozgachctl submit` has read and checked before it says a word to anyone.
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

// A dataset as it was when it was checked.
struct DatasetFile {
  std::filesystem::path path;
  std::string sha256;
  uint64_t size = 0;
  RowTokens rows;  // an estimate; none is cut
  std::shared_ptr<const DatasetFacts> facts;
};

struct Submission {
  v1::SubmitRequest request;
  std::map<std::string, DatasetFile> datasets;  // by digest
};

// Reads the domain files and every row of their datasets.  INVALID_ARGUMENT lists what is wrong in
// all of them, one problem per line ("path:line:column: …"), the first 100.
absl::StatusOr<Submission> ReadSubmission(const std::vector<std::string>& files);

}  // namespace mozgach
