// Brings one adapter version from the registry to a directory here.
#pragma once

#include <filesystem>

#include "ctl/client/connection.h"

namespace mozgach {

// Downloads every file of `version` (with its `files`) beside `target`, checks size and SHA-256,
// and renames the whole to `target`.  INVALID_ARGUMENT when `target` is there and not an empty
// directory; otherwise what is at `target` is whole or not there.  CANCELLED after Ctrl-C
// (NoteInterrupts).
absl::Status PullVersion(Connection& connection, const v1::Version& version,
                         const std::filesystem::path& target);

}  // namespace mozgach
