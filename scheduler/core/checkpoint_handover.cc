#include "scheduler/core/checkpoint_handover.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <string>
#include <vector>

#include "failpoint/failpoint.h"
#include "scheduler/jobs/kept_blobs.h"

namespace mozgach {
namespace {

bool IsHere(const BlobStore& blobs, const v1::File& file) {
  const absl::StatusOr<BlobStore::Stat> stat = blobs.Find(file.sha256());
  return stat.ok() && stat->complete && stat->bytes == file.size();
}

}  // namespace

void DropBlobsOf(SchedulerState& state, const v1::Checkpoint& checkpoint) {
  std::vector<std::string> sha256s;
  for (const v1::File& file : checkpoint.files()) sha256s.push_back(file.sha256());
  const absl::Status removed = DropUnneededBlobs(state.database, state.blobs, sha256s);
  if (!removed.ok()) spdlog::warn("an old checkpoint: {}", std::string(removed.message()));
}

absl::Status KeepCheckpoint(SchedulerState& state, const Lease& lease,
                            const v1::Checkpoint& checkpoint) {
  const bool whole = std::all_of(checkpoint.files().begin(), checkpoint.files().end(),
                                 [&](const v1::File& file) { return IsHere(state.blobs, file); });
  if (!whole) return absl::OkStatus();
  Transaction transaction(state.database);
  RETURN_IF_ERROR(transaction.status());
  ASSIGN_OR_RETURN(const Job job, state.queue.Get(lease.job));
  if (job.attempt != lease.attempt) return absl::OkStatus();  // the attempt is over
  ASSIGN_OR_RETURN(const v1::Checkpoint before, state.checkpoints.Find(lease.job));
  if (before.step() < checkpoint.step()) {
    RETURN_IF_ERROR(state.checkpoints.Save(lease.job, lease.attempt, checkpoint));
    RETURN_IF_ERROR(COMMIT("scheduler.checkpoint.keep", transaction));
    DropBlobsOf(state, before);
  }
  state.leases.MarkCheckpoint(lease.job, checkpoint.step());
  return absl::OkStatus();
}

}  // namespace mozgach
