// Requests of a worker to the trainer (docs/trainer_protocol.md), one JSON object per line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <variant>

#include "common/domain/domain_spec.h"
#include "common/status.h"
#include "nlohmann/json.hpp"
#include "trainer/adapter/job_data.h"
#include "trainer/train/training_checkpoint.h"

namespace mozgach {

// Identifies an attempt of a job.
struct AttemptId {
  int64_t job = 0;
  int64_t attempt = 0;
  bool operator==(const AttemptId&) const = default;
};

struct LoadRequest {
  std::string base;
  std::filesystem::path base_dir;
  QuantizationSpec quantization;
  std::filesystem::path cache_dir;
};

struct TrainRequest {
  AttemptId id;
  nlohmann::json spec;  // not checked here: an error in it fails the job, not the request
  std::filesystem::path base_dir;
  DatasetPaths data;
  std::filesystem::path output_dir;
  std::filesystem::path checkpoint_dir;
  std::filesystem::path cache_dir;
  PinnedChoices pinned;
};

struct CancelRequest {
  AttemptId id;
  bool save = false;  // write a checkpoint first, so that another trainer can resume
};

struct ExitRequest {};

using Request = std::variant<LoadRequest, TrainRequest, CancelRequest, ExitRequest>;

// Parses one line. INVALID_ARGUMENT names a missing field or one of the wrong type. Unknown fields
// are ignored.
absl::StatusOr<Request> ParseRequest(std::string_view line);

}  // namespace mozgach
