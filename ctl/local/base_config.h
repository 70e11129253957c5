// Finds and reads the config.json of a base for planning. Weights are not needed.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/status.h"
#include "planner/model_config.h"

namespace mozgach {

// Looks for `base` in each of `folders`, as a worker does: DIR/org/name, or a snapshot in
// huggingface_hub's models--org--name, preferably that of `main`. NOT_FOUND lists the searched
// folders and gives advice. INVALID_ARGUMENT if the file is not a supported config.
absl::StatusOr<ModelConfig> ReadBaseConfig(const std::string& base,
                                           const std::vector<std::filesystem::path>& folders);

// As ReadBaseConfig(). `word` is a base's directory, its config.json, or the name of a base in
// `folders`.
absl::StatusOr<ModelConfig> ReadBaseConfigAt(const std::string& word,
                                             const std::vector<std::filesystem::path>& folders);

// Returns `given` (--bases). If it is empty, returns ./bases, the folder `bases` next to each of
// `domain_files`, and this user's cache of the hub.
std::vector<std::filesystem::path> BaseFolders(const std::vector<std::string>& given,
                                               const std::vector<std::string>& domain_files);

}  // namespace mozgach
