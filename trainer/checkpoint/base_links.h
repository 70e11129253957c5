// Where the symbolic links in a base's directory may lead.  A directory that came from elsewhere
// may hold any link; what we read, hash and tell of stays within the base.
#pragma once

#include <filesystem>
#include <vector>

#include "common/status.h"

namespace mozgach {

// Looks at the files of a base by which it is read (*.json, *.safetensors, *.jinja, *.model,
// *.txt). Links among them may lead into `directory` itself, below one of `folders` (those that
// hold the bases), and, from snapshots/<commit>/ of Hugging Face's cache, into that model's own
// folder there, where blobs/ is.  INVALID_ARGUMENT names a link that leaves them all.
absl::Status CheckBaseLinks(const std::filesystem::path& directory,
                            const std::vector<std::filesystem::path>& folders);

}  // namespace mozgach
