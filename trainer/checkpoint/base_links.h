// Checks where the symbolic links in a base's directory lead. A directory from an unknown source
// may contain any link; the trainer must read, hash and report only files of the base.
#pragma once

#include <filesystem>
#include <vector>

#include "common/status.h"

namespace mozgach {

// Checks the files of a base that are read (*.json, *.safetensors, *.jinja, *.model, *.txt). Their
// links may lead into `directory` itself, below one of `folders` (the folders that hold bases),
// and, from snapshots/<commit>/ of Hugging Face's cache, into the folder of the same model in that
// cache, which contains blobs/. INVALID_ARGUMENT names a link that leads anywhere else.
absl::Status CheckBaseLinks(const std::filesystem::path& directory,
                            const std::vector<std::filesystem::path>& folders);

}  // namespace mozgach
