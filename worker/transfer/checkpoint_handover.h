// Checkpoints on their way from one worker to another, by way of the scheduler.
#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>

#include "common/status.h"
#include "mozgach/v1/worker_service.pb.h"
#include "worker/transfer/scheduler_client.h"

namespace mozgach {

// Uploads the checkpoint of `step` below `checkpoints` (trainer/train/training_checkpoint.h).  Its
// files are linked into `scratch` first: the trainer drops its older checkpoints meanwhile.  Waits
// for a scheduler that does not answer until `stop` is requested (CANCELLED).  NOT_FOUND: it is
// gone.
absl::StatusOr<v1::Checkpoint> UploadCheckpoint(SchedulerClient& client,
                                                const std::filesystem::path& checkpoints,
                                                int64_t step, const std::filesystem::path& scratch,
                                                const std::function<void(uint64_t)>& sent,
                                                std::stop_token stop);

// Brings `checkpoint` below `checkpoints`, whole, unless one of its step or a later one is there.
// Errors are those of FetchBlob, and INVALID_ARGUMENT for one that is none.
absl::Status FetchCheckpoint(SchedulerClient& client, const v1::Checkpoint& checkpoint,
                             const std::filesystem::path& checkpoints, std::stop_token stop);

}  // namespace mozgach
