// A SafetensorsFile is one *.safetensors file, mapped into memory and checked before anything of it
// is used (format: 8 bytes header length, JSON header, tensors one after another without holes;
// github.com/huggingface/safetensors).  Immutable after Open(); safe from any thread.  Whoever
// reads a tensor whose file was cut off meanwhile ends the process with a message
// (mapping_fault.h).
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

// Where a tensor lies and what it is.
struct StoredTensor {
  at::ScalarType dtype = at::kFloat;
  std::vector<int64_t> shape;
  std::string_view bytes;  // into the mapping, row-major, little-endian

  int64_t elements() const;
};

class SafetensorsFile : public std::enable_shared_from_this<SafetensorsFile> {
 public:
  // DATA_LOSS, naming the file and what is wrong, for anything that is not a whole, consistent
  // file: cut off, a header that is no JSON or not UTF-8, an unknown type, a name given twice,
  // offsets that overlap, leave holes, lie beyond the file or do not fit shape and type.
  static absl::StatusOr<std::shared_ptr<const SafetensorsFile>> Open(
      const std::filesystem::path& path);

  SafetensorsFile(const SafetensorsFile&) = delete;
  SafetensorsFile& operator=(const SafetensorsFile&) = delete;
  ~SafetensorsFile();

  const std::filesystem::path& path() const { return path_; }
  const std::map<std::string, StoredTensor>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

  // A CPU tensor that lies in the mapping and keeps it alive; to be read, not written.  A copy
  // where the file does not align it.
  at::Tensor Tensor(const StoredTensor& stored) const;

  // Gives the pages of a tensor that has been read back to the system.
  void Release(const StoredTensor& stored) const;

  // What the file was when it was opened.
  const FileStamp& stamp() const { return stamp_; }

  // SHA-256 of the whole file, which is read for it.  DATA_LOSS where it is not any more what it
  // was when it was opened.
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

// Writes `tensors` (any device, made contiguous) and `metadata` as one file, whole or not at all
// (common/files.h).  The same tensors give the same bytes.
absl::Status WriteSafetensors(const std::filesystem::path& path,
                              const std::vector<std::pair<std::string, at::Tensor>>& tensors,
                              const std::map<std::string, std::string>& metadata);

}  // namespace mozgach
