// The files that a database names: those of its published versions, and the blobs it needs.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "registry/database.h"
#include "scheduler/upkeep/file_copy.h"

namespace mozgach {

// Copies the files that `database` names from one data directory (or backup) to another. A file
// that is missing or has another size becomes a line of `missing`; it does not fail the copy.
absl::Status CopyNamedFiles(Database& database, const std::filesystem::path& from,
                            const std::filesystem::path& to, CopyBy by, CopiedFiles& copied,
                            std::vector<std::string>& missing);

}  // namespace mozgach
