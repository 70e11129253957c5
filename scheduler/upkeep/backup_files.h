// The files that a database names: those of its published versions, and the blobs it needs.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "registry/database.h"
#include "scheduler/upkeep/file_copy.h"

namespace mozgach {

// Copies from one data directory (or backup) to another what `database` names.  What is not there
// to be copied, or is not of its size, becomes a line of `missing` and is no error.
absl::Status CopyNamedFiles(Database& database, const std::filesystem::path& from,
                            const std::filesystem::path& to, CopyBy by, CopiedFiles& copied,
                            std::vector<std::string>& missing);

}  // namespace mozgach
