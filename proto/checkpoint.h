// What a Checkpoint on its way between workers may say.  Shared by the scheduler, which keeps it,
// and the worker, which puts its files on disk: neither trusts the other.
#pragma once

#include "common/status.h"
#include "mozgach/v1/worker_service.pb.h"

namespace mozgach {

// OK for the files of one training checkpoint (trainer/train/training_checkpoint.h), each once,
// under the digests of their bytes, of a step from 1 up.  INVALID_ARGUMENT says what is wrong with
// it.
absl::Status CheckCheckpoint(const v1::Checkpoint& checkpoint);

}  // namespace mozgach
