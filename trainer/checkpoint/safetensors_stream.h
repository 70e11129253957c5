// A SafetensorsStream writes a safetensors file tensor by tensor, so that only one tensor is in
// memory at a time. It reserves room for the header at the start of the file and writes the header
// at the end. One thread at a time.
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

// Returns enough header room for `tensors` tensors whose names have `name_bytes` bytes in total.
int64_t HeaderRoom(int64_t tensors, int64_t name_bytes);

class SafetensorsStream {
 public:
  // Creates `path`, which must not exist; `header_room` is in bytes. The caller removes an
  // unfinished file.
  static absl::StatusOr<SafetensorsStream> Create(const std::filesystem::path& path,
                                                  int64_t header_room);

  // Appends a CPU tensor. Readers expect it aligned to its element size: INTERNAL if the tensors
  // before it leave it misaligned. RESOURCE_EXHAUSTED if the disk is full.
  absl::Status Add(const std::string& name, const at::Tensor& tensor);

  // Writes the header and syncs the file. RESOURCE_EXHAUSTED if the header does not fit the
  // reserved room.
  absl::Status Finish(const std::map<std::string, std::string>& metadata);

  int64_t tensor_bytes() const { return offset_; }

  // The open file, for locking.
  int fd() const { return fd_.get(); }

 private:
  absl::Status Write(int64_t at, const char* bytes, size_t size);

  std::filesystem::path path_;
  FileDescriptor fd_;
  int64_t header_room_ = 0;
  int64_t offset_ = 0;  // next tensor's position after the header
  nlohmann::ordered_json entries_ = nlohmann::ordered_json::object();
};

}  // namespace mozgach
