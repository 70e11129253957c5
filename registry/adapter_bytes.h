// What the weights of an adapter must look like before a version may hold them.
#pragma once

#include <filesystem>
#include <string_view>

#include "common/status.h"

namespace mozgach {

// OK where the bytes of `file` are what the name `path` of CheckAdapterFile says of weights: a
// safetensors header whose tensors lie within the file one after another, without gaps or overlaps
// (github.com/huggingface/safetensors), or the magic of GGUF.  Other files are text or JSON, which no
// reader runs, and are not looked at.  INVALID_ARGUMENT says what is wrong with it, UNAVAILABLE that
// it cannot be read.
absl::Status CheckAdapterBytes(std::string_view path, const std::filesystem::path& file);

}  // namespace mozgach
