// FetchBlob brings one blob from the scheduler to a file here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "worker/transfer/scheduler_client.h"

namespace mozgach {

struct BlobName {
  std::string sha256;
  uint64_t size = 0;
};

// Fetches `blob` into `part`, going on with what an earlier try has left there, and renames it to
// `path` once its digest is right and it is synced.  Waits for a scheduler that does not answer.
// `received` hears of each piece, in bytes.  `what` ("the dataset train.jsonl") stands in messages.
//
// RESOURCE_EXHAUSTED: the disk is full.  DATA_LOSS: the scheduler's copy is damaged.  NOT_FOUND: it
// has none.  CANCELLED: `stop`.  What has been received stays in `part`, but for damaged bytes.
absl::Status FetchBlob(SchedulerClient& client, const BlobName& blob, std::string_view what,
                       const std::filesystem::path& part, const std::filesystem::path& path,
                       const std::function<void(uint64_t)>& received, std::stop_token stop);

}  // namespace mozgach
