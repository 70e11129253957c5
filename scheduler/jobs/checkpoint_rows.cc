#include "scheduler/jobs/checkpoint_rows.h"

#include "registry/query.h"
#include "scheduler/queries.h"

namespace mozgach {
namespace sql = scheduler_sql;

absl::StatusOr<v1::Checkpoint> CheckpointRows::Find(int64_t job) {
  v1::Checkpoint checkpoint;
  Query step(database_, sql::kCheckpointStep, job);
  if (step.Next()) checkpoint.set_step(step.Int(0));
  RETURN_IF_ERROR(step.status());
  if (checkpoint.step() == 0) return checkpoint;
  Query rows(database_, sql::kCheckpointFiles, job);
  while (rows.Next()) {
    v1::File& file = *checkpoint.add_files();
    file.set_path(rows.Text(0));
    file.set_sha256(rows.Text(1));
    file.set_size(static_cast<uint64_t>(rows.Int(2)));
  }
  RETURN_IF_ERROR(rows.status());
  return checkpoint;
}

absl::Status CheckpointRows::Save(int64_t job, int64_t attempt, const v1::Checkpoint& checkpoint) {
  RETURN_IF_ERROR(Run(database_, sql::kSaveCheckpoint, job, attempt, checkpoint.step()));
  RETURN_IF_ERROR(Run(database_, sql::kForgetCheckpointFiles, job));
  for (const v1::File& file : checkpoint.files()) {
    RETURN_IF_ERROR(
        Run(database_, sql::kInsertCheckpointFile, job, file.path(), file.sha256(), file.size()));
  }
  return absl::OkStatus();
}

}  // namespace mozgach
