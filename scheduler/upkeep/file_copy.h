// Copies of files that never change once they are there: adapter versions and blobs.  Safe from any
// thread; two writers do not share a target.
#pragma once

#include <cstdint>
#include <filesystem>

#include "common/status.h"

namespace mozgach {

enum class CopyBy {
  kLink,   // a hard link where one file system holds both, bytes elsewhere
  kBytes,  // a file of its own always
};

struct CopiedFiles {
  int64_t files = 0;
  int64_t linked = 0;  // files linked instead of copied
  uint64_t bytes = 0;  // sum over all files
};

// Makes `to` what `from` is, durably but for the entry in its directory (SyncDirectory); counts it
// in `copied`.  A `to` that is there already is left as it is, uncounted.  NOT_FOUND: no `from`.
absl::Status CopyFile(const std::filesystem::path& from, const std::filesystem::path& to, CopyBy by,
                      CopiedFiles& copied);

}  // namespace mozgach
