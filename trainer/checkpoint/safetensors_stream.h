// A SafetensorsStream writes a safetensors file tensor by tensor, so that none but the one that is
// written need be in memory.  The header's room is set aside at the beginning of the file and
// filled at the end.  One thread at a time.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "common/files.h"
#include "common/status.h"
#include "nlohmann/json.hpp"

namespace mozgach {

// Room enough in a header for this many tensors whose names have this many characters in all.
int64_t HeaderRoom(int64_t tensors, int64_t name_bytes);

class SafetensorsStream {
 public:
  // Makes `path`, which must not be there; `header_room` is in bytes.  What is not finished is left
  // to the caller to remove.
  static absl::StatusOr<SafetensorsStream> Create(const std::filesystem::path& path,
                                                  int64_t header_room);

  // Appends a CPU tensor.  Readers want it aligned to its elements' size: INTERNAL where what came
  // before leaves it misaligned.  RESOURCE_EXHAUSTED on a full disk.
  absl::Status Add(const std::string& name, const at::Tensor& tensor);

  // Writes the header; the bytes are on disk then.  RESOURCE_EXHAUSTED where it has no room.
  absl::Status Finish(const std::map<std::string, std::string>& metadata);

  int64_t tensor_bytes() const { return offset_; }

  // The open file, which can be locked.
  int fd() const { return fd_.get(); }

 private:
  absl::Status Write(int64_t at, const char* bytes, size_t size);

  std::filesystem::path path_;
  FileDescriptor fd_;
  int64_t header_room_ = 0;
  int64_t offset_ = 0;  // of the next tensor, behind the header
  nlohmann::ordered_json entries_ = nlohmann::ordered_json::object();
};

}  // namespace mozgach
