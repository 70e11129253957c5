// A DataFolder is what a worker keeps on disk, below --data.  One worker at a time: it is locked.
//
//   lock                       held by this worker
//   bases/<digest>/            fetched from the scheduler; dropped when room is needed
//   (base_cache.h) datasets/<sha256>          fetched once; the least recently used go
//   (dataset_cache.h) attempts/<job>-<attempt>/  adapter/: what the trainer leaves.  Gone with the
//   attempt checkpoints/<job>/         from which the next attempt on this host goes on.  Gone when
//   the
//                              job is published or cancelled, or after days without a change
//   cache/                     of the trainer: what is computed once per base and dataset, and
//                              quantised bases; the newest of each (data_rules.h)
//   logs/<job>-<attempt>.log   until the scheduler has it
//   trainers/<device>.lock     held by the trainer of that device
#pragma once

#include <filesystem>
#include <set>

#include "common/files.h"
#include "worker/session/worker_attempt.h"
#include "worker/transfer/data_rules.h"

namespace mozgach {

class DataFolder {
 public:
  // Makes the folders, locks them, and sweeps what an earlier worker left: attempts, old
  // checkpoints. FAILED_PRECONDITION when another worker uses it.
  static absl::StatusOr<DataFolder> Open(const std::filesystem::path& root,
                                         const DataRules& rules = {});

  // What the rules do not keep goes, but for the checkpoints of `busy` jobs.
  void Sweep(const DataRules& rules, const std::set<int64_t>& busy) const;

  std::filesystem::path datasets() const { return root_ / "datasets"; }
  std::filesystem::path bases() const { return root_ / "bases"; }
  std::filesystem::path cache() const { return root_ / "cache"; }
  std::filesystem::path logs() const { return root_ / "logs"; }
  std::filesystem::path adapter(const AttemptId& id) const { return attempt(id) / "adapter"; }
  std::filesystem::path attempt(const AttemptId& id) const {
    return root_ / "attempts" / id.Name();
  }
  std::filesystem::path checkpoints(int64_t job) const {
    return root_ / "checkpoints" / std::to_string(job);
  }
  // Lock of the trainer run that lists the devices.
  std::filesystem::path devices_lock() const { return root_ / "trainers" / "devices.lock"; }
  std::filesystem::path trainer_lock(int device) const {
    return root_ / "trainers" / (std::to_string(device) + ".lock");
  }

 private:
  DataFolder(std::filesystem::path root, FileDescriptor lock)
      : root_(std::move(root)), lock_(std::move(lock)) {}

  std::filesystem::path root_;  // absolute
  FileDescriptor lock_;
};

}  // namespace mozgach
