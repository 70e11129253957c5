// Upload: an adapter's files on their way to the scheduler, as blobs named by their SHA-256.
#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>
#include <vector>

#include "worker/transfer/scheduler_client.h"

namespace mozgach {

// Uploads every file below `directory` that the scheduler does not have yet; one that was cut goes
// on where it was.  Returns all of them, paths relative to `directory`, sorted.  Waits for a
// scheduler that does not answer until `stop` is requested (CANCELLED).  `sent` hears of bytes that
// went out.
absl::StatusOr<std::vector<v1::File>> UploadDirectory(SchedulerClient& client,
                                                      const std::filesystem::path& directory,
                                                      const std::function<void(uint64_t)>& sent,
                                                      std::stop_token stop);

}  // namespace mozgach
