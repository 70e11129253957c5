// Writes a checkpoint in a folder next to its final place and renames the folder when it is
// complete.
#pragma once

#include <filesystem>

#include "common/files.h"
#include "common/status.h"

namespace mozgach {

// The absolute path of `output`. INVALID_ARGUMENT if it is a non-empty folder, a link or a file, or
// if its parent directory does not exist.
absl::StatusOr<std::filesystem::path> CheckpointPlace(const std::filesystem::path& output);

// "<place>.mozgach-partial". The process that writes it holds its lock. Leftovers of a killed run
// are removed; a folder of another origin is not.
class CheckpointStaging {
 public:
  // INVALID_ARGUMENT if the folder exists and was not created by this class; FAILED_PRECONDITION if
  // another process uses it.
  static absl::StatusOr<CheckpointStaging> Claim(const std::filesystem::path& place);

  const std::filesystem::path& folder() const { return folder_; }

  // Renames the folder to `place`.
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
