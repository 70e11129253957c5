// The newest checkpoint of each job that is under way, as a worker brought it, so that any other
// can go on from it.  Its files are blobs.  A job that is over has none: the schema sees to that.
//
// Writes join the open transaction.  One thread at a time.
#pragma once

#include <cstdint>
#include <string>

#include "common/status.h"
#include "mozgach/v1/worker_service.pb.h"
#include "registry/database.h"

namespace mozgach {

class CheckpointRows {
 public:
  explicit CheckpointRows(Database& database) : database_(database) {}

  // Returns the checkpoint of `job`; one of step 0 if the job has none.
  absl::StatusOr<v1::Checkpoint> Find(int64_t job);
  // In place of the one before.
  absl::Status Save(int64_t job, int64_t attempt, const v1::Checkpoint& checkpoint);

 private:
  Database& database_;
};

}  // namespace mozgach
