// Folders that only their owner may enter, for state that other users of a host must not read.
#pragma once

#include <sys/types.h>

#include <filesystem>

#include "common/status.h"

namespace mozgach {

// Makes `path` and its parents; `path` itself gets mode 0700 if it is new.  One that exists keeps
// its mode: its owner may have opened it to others on purpose.
absl::Status MakePrivateDirectory(const std::filesystem::path& path);

// The mode of `path` if users other than its owner may enter, list or change it; otherwise 0.
mode_t ModeForOthers(const std::filesystem::path& path);

}  // namespace mozgach
