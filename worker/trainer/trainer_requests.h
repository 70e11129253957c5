// What a worker asks of a trainer, as lines of docs/trainer_protocol.md without the line break.
#pragma once

#include <string>

#include "worker/session/worker_attempt.h"

namespace mozgach {

struct TrainRequest {
  AttemptId id;
  std::string spec_json;
  std::string base_dir;
  DatasetPaths data;
  std::string output_dir;
  std::string checkpoint_dir;
  std::string cache_dir;
  std::string pinned_json;  // as `started` gave it for an earlier attempt; empty: none
};

std::string TrainLine(const TrainRequest& request);
std::string CancelLine(const AttemptId& id, bool save);
std::string ExitLine();

}  // namespace mozgach
