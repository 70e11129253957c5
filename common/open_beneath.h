// Opens files below a directory without following symbolic links: what somebody put in the place of
// a file, or of a directory above it, is not read in its name.
#pragma once

#include <filesystem>

#include "common/files.h"
#include "common/status.h"

namespace mozgach {

// The regular file `relative` below `root`, for reading.  Only `root` itself may be, or lie below,
// a symbolic link.  NOT_FOUND: there is none; FAILED_PRECONDITION: a link, or no regular file, is
// in its place; INVALID_ARGUMENT: `relative` leaves `root`.
absl::StatusOr<FileDescriptor> OpenBeneath(const std::filesystem::path& root,
                                           const std::filesystem::path& relative);

}  // namespace mozgach
