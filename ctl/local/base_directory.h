// A base as a person points at it: a directory, or a model in huggingface_hub's cache.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "common/base/base_files.h"
#include "common/status.h"
#include "mozgach/v1/worker_service.pb.h"

namespace mozgach {

struct BaseDirectory {
  std::string name;                    // as on the hub
  std::filesystem::path directory;     // the directory of the files; in a cache, the snapshot
  std::vector<std::string> revisions;  // branches and commits of the cache; empty: not from there
  std::vector<BaseFile> files;         // by name
  uint64_t size_bytes = 0;
};

// Looks at `path`: the base's directory itself, or DIR/models--org--name, of which the snapshot of
// `main` is taken, or the only one there is.  `name`, where it is empty, comes from the last two
// parts of the path or from the cache.  INVALID_ARGUMENT says what is missing, which link leaves
// both the directory and the model's folder in the cache, or why the base cannot be trained (its
// format: common/base/base_format.h; its family: planner/model_config.h).
absl::StatusOr<BaseDirectory> ReadBaseDirectory(const std::filesystem::path& path,
                                                const std::string& name);

// Hashes every file.  `hashed` is told the bytes of each piece.
absl::StatusOr<v1::BaseManifest> HashBase(const BaseDirectory& base,
                                          const std::function<void(uint64_t)>& hashed);

}  // namespace mozgach
