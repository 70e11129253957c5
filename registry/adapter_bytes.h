// What the files of an adapter must hold before a version may have them.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "registry/version.h"

namespace mozgach {

inline constexpr char kAdapterConfigName[] = "adapter_config.json";
inline constexpr char kAdapterWeightsName[] = "adapter_model.safetensors";

// OK when `files` are a PEFT adapter of the base named `base` that readers can load:
//   adapter_config.json        a LoRA configuration that names this base (adapter_config.h)
//   adapter_model.safetensors  the tensors that it describes (adapter_tensors.h)
//   other .safetensors         complete files of F32, F16 or BF16 tensors (tensor_header.h)
//   other adapter_config.json  of mlx-lm: JSON objects that name this base, if any
//   .gguf                      files that begin as GGUF does
// Other files are text, which is not looked at.  `path_of` gives the place of a file's bytes. Reads
// headers and configurations only, at most 17 MiB in all, however many files there are.
// INVALID_ARGUMENT names the file and says what is wrong with it; UNAVAILABLE: a file cannot be
// read.
absl::Status CheckAdapterFiles(
    const std::vector<VersionFile>& files, const std::string& base,
    const std::function<absl::StatusOr<std::filesystem::path>(const VersionFile&)>& path_of);

}  // namespace mozgach
