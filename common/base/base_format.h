// Says why a directory cannot serve as a base: it is a LoRA adapter, or its weights are in a format
// that is not read (PyTorch's .bin, GGUF, GPTQ, …), and how to get one that can.
//
// The worker, mozgachctl and the trainer all ask here, so that they say the same.
#pragma once

#include <filesystem>

#include "common/status.h"

namespace mozgach {

// Looks at file names, config.json and the header of the first weight file.  INVALID_ARGUMENT names
// the directory, the format and the way out.  OK for everything else, also for a directory that has
// no weights or is not a model: it is for the caller to say what is missing.
absl::Status CheckBaseFormat(const std::filesystem::path& directory);

}  // namespace mozgach
