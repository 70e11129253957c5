// A SafetensorsFile is one *.safetensors file, mapped into memory and checked before use (format: 8
// bytes header length, JSON header, tensors one after another without gaps;
// github.com/huggingface/safetensors). Immutable after Open(); safe from any thread. If the file
// was truncated after Open(), reading a tensor ends the process with a message (mapping_fault.h).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/file_stamp.h"
#include "common/files.h"
#include "common/status.h"

namespace mozgach {

// Type, shape and location of a tensor.
struct StoredTensor {
  at::ScalarType dtype = at::kFloat;
  std::vector<int64_t> shape;
  std::string_view bytes;  // in the mapping, row-major, little-endian

  int64_t elements() const;
};

class SafetensorsFile : public std::enable_shared_from_this<SafetensorsFile> {
 public:
  // DATA_LOSS names the file and the fault if the file is truncated or inconsistent: a header that
  // is not JSON in UTF-8, an unknown type, a duplicate name, offsets that overlap, leave gaps, lie
  // beyond the file or do not match shape and type.
  static absl::StatusOr<std::shared_ptr<const SafetensorsFile>> Open(
      const std::filesystem::path& path);

  SafetensorsFile(const SafetensorsFile&) = delete;
  SafetensorsFile& operator=(const SafetensorsFile&) = delete;
  ~SafetensorsFile();

  const std::filesystem::path& path() const { return path_; }
  const std::map<std::string, StoredTensor>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

  // Returns a read-only CPU tensor that lies in the mapping and keeps it alive. Copies the tensor
  // if the file does not align it.
  at::Tensor Tensor(const StoredTensor& stored) const;

  // Releases the pages of a tensor that has been read.
  void Release(const StoredTensor& stored) const;

  // The file's stamp at Open().
  const FileStamp& stamp() const { return stamp_; }

  // Reads the whole file and returns its SHA-256. DATA_LOSS if the file has changed since Open().
  absl::StatusOr<std::string> Digest() const;

 private:
  SafetensorsFile() = default;
  absl::Status Map();
  absl::Status ParseHeader();

  std::filesystem::path path_;
  FileDescriptor fd_;
  FileStamp stamp_;
  const char* data_ = nullptr;
  size_t size_ = 0;
  std::map<std::string, StoredTensor> tensors_;
  std::map<std::string, std::string> metadata_;
};

// Writes `tensors` (on any device; made contiguous) and `metadata` as one file, atomically
// (common/files.h). Equal tensors give equal bytes.
absl::Status WriteSafetensors(const std::filesystem::path& path,
                              const std::vector<std::pair<std::string, at::Tensor>>& tensors,
                              const std::map<std::string, std::string>& metadata);

}  // namespace mozgach
