// Downloads an adapter version from the registry to a local directory.
#pragma once

#include <filesystem>

#include "ctl/client/connection.h"

namespace mozgach {

// Downloads all files of `version` (`files` must be set) to a temporary directory next to `target`,
// checks sizes and SHA-256, and renames the directory to `target`. `target` is therefore complete
// or does not exist. INVALID_ARGUMENT if `target` exists and is not an empty directory. CANCELLED
// after Ctrl-C (NoteInterrupts).
absl::Status PullVersion(Connection& connection, const v1::Version& version,
                         const std::filesystem::path& target);

}  // namespace mozgach
