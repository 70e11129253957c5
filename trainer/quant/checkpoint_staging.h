// Where a checkpoint is made: a folder beside the one that it becomes, by a rename, when it is
// whole.
#pragma once

#include <filesystem>

#include "common/files.h"
#include "common/status.h"

namespace mozgach {

// The folder that `output` names, absolute.  INVALID_ARGUMENT where it is there already and not
// empty, is a link or a file, or would lie in no directory.
absl::StatusOr<std::filesystem::path> CheckpointPlace(const std::filesystem::path& output);

// "<place>.mozgach-partial".  Whoever makes it holds its lock: what a run that was killed left
// there is cleared, what anybody else put there is not.
class CheckpointStaging {
 public:
  // INVALID_ARGUMENT where such a folder is there that is not ours; FAILED_PRECONDITION where
  // another process works in it.
  static absl::StatusOr<CheckpointStaging> Claim(const std::filesystem::path& place);

  const std::filesystem::path& folder() const { return folder_; }

  // It is `place` after that.
  absl::Status MoveTo(const std::filesystem::path& place);
  absl::Status Remove();

 private:
  CheckpointStaging(std::filesystem::path folder, FileDescriptor lock)
      : folder_(std::move(folder)), lock_(std::move(lock)) {}
  absl::Status Clear();

  std::filesystem::path folder_;
  FileDescriptor lock_;
};

}  // namespace mozgach
