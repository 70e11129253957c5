// Where the config.json of a base lies that a domain names, for planning: no weights are needed.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/status.h"
#include "planner/model_config.h"

namespace mozgach {

// Looks below each of `folders` for `base` as a worker does: DIR/org/name, or a snapshot of
// models--org--name as huggingface_hub keeps it, that of `main` before others.  NOT_FOUND says
// where it looked and what to try; INVALID_ARGUMENT if the file is not a supported config.
absl::StatusOr<ModelConfig> ReadBaseConfig(const std::string& base,
                                           const std::vector<std::filesystem::path>& folders);

// `word` is a base's directory, its config.json, or the name of a base below `folders`.
absl::StatusOr<ModelConfig> ReadBaseConfigAt(const std::string& word,
                                             const std::vector<std::filesystem::path>& folders);

// --bases as given, or where it was not: ./bases, the folder `bases` beside each of `domain_files`,
// and the hub's cache of this user.
std::vector<std::filesystem::path> BaseFolders(const std::vector<std::string>& given,
                                               const std::vector<std::string>& domain_files);

}  // namespace mozgach
