// A trainer lock prevents two trainers on one device, also if different workers start them.
//
// The trainer inherits the locked file and holds the lock as long as it lives, even if its worker
// was killed. The file contains its process id.
#pragma once

#include <sys/types.h>

#include <filesystem>

#include "common/clock.h"
#include "common/files.h"

namespace mozgach {

// Takes the lock for a trainer about to be started; hand the descriptor to it.
// FAILED_PRECONDITION when a trainer holds it.
absl::StatusOr<FileDescriptor> TakeTrainerLock(const std::filesystem::path& path);

// Writes who holds it.
absl::Status NameTrainer(const FileDescriptor& lock, pid_t pid);

// Waits until no trainer of an earlier worker is left: its stdin is closed, so it goes by itself;
// what is still there after `timeout` is killed with its process group. FAILED_PRECONDITION when
// even that does not end it.
absl::Status OutliveOrphan(const std::filesystem::path& path, Milliseconds timeout);

}  // namespace mozgach
