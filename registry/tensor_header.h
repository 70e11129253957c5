// The header of a safetensors file: which tensors it holds, of which type and shape
// (github.com/huggingface/safetensors).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "common/status.h"

namespace mozgach {

struct TensorInfo {
  std::string name;
  std::string dtype;  // F32, F16 or BF16
  std::vector<uint64_t> shape;
  uint64_t begin = 0;  // first byte, counted from the end of the header
  uint64_t end = 0;
};

struct TensorHeader {
  std::vector<TensorInfo> tensors;
  uint64_t header_bytes = 0;
};

// Reads the header of `file` and checks it against the size of the file: each name occurs once,
// each type is one that adapters have, each shape takes exactly the bytes that are given to it, and
// the tensors fill the file without gaps or overlaps.  Does not read the tensors.
// INVALID_ARGUMENT says what is wrong, also for a header of more than `header_bytes_max` bytes;
// UNAVAILABLE: the file cannot be read.
absl::StatusOr<TensorHeader> ReadTensorHeader(const std::filesystem::path& file,
                                              uint64_t header_bytes_max);

}  // namespace mozgach
