// Reads a base from a directory or from a model in huggingface_hub's cache.
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
  std::filesystem::path directory;     // the directory of the files; the snapshot if in a cache
  std::vector<std::string> revisions;  // branches and commits of the cache; else empty
  std::vector<BaseFile> files;         // sorted by name
  uint64_t size_bytes = 0;
};

// Lists the base at `path`, which is the base's directory or DIR/models--org--name. For the latter,
// uses the snapshot of `main`, or the only snapshot. An empty `name` is replaced by the last two
// parts of the path or by the name in the cache. INVALID_ARGUMENT names what is missing, which link
// leaves both the directory and the model's folder in the cache, or why the base cannot be trained
// (format: common/base/base_format.h; family: planner/model_config.h).
absl::StatusOr<BaseDirectory> ReadBaseDirectory(const std::filesystem::path& path,
                                                const std::string& name);

// Hashes all files. Calls `hashed` with the number of bytes of each piece.
absl::StatusOr<v1::BaseManifest> HashBase(const BaseDirectory& base,
                                          const std::function<void(uint64_t)>& hashed);

}  // namespace mozgach
