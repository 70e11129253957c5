#include "trainer/checkpoint/safetensors.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/files.h"
#include "trainer/checkpoint/mapping_fault.h"
#include "trainer/checkpoint/safetensors_header.h"

namespace mozgach {

int64_t StoredTensor::elements() const {
  int64_t count = 1;
  for (int64_t size : shape) count *= size;
  return count;
}

absl::StatusOr<std::shared_ptr<const SafetensorsFile>> SafetensorsFile::Open(
    const std::filesystem::path& path) {
  std::shared_ptr<SafetensorsFile> file(new SafetensorsFile);
  file->path_ = path;
  RETURN_IF_ERROR(file->Map());
  RETURN_IF_ERROR(file->ParseHeader());
  return file;
}

SafetensorsFile::~SafetensorsFile() {
  if (data_ == nullptr) return;
  UnwatchMapping(data_);
  munmap(const_cast<char*>(data_), size_);
}

absl::Status SafetensorsFile::Map() {
  // O_NONBLOCK: opening a pipe would block.
  fd_ = FileDescriptor(open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd_.valid()) return SystemError(errno, absl::StrCat("open ", path_.string()));
  auto stamp = StampOf(fd_.get());
  if (!stamp.ok()) return Annotate(stamp.status(), path_.string());
  stamp_ = *stamp;
  size_ = static_cast<size_t>(stamp_.size);
  if (size_ == 0) return absl::DataLossError(absl::StrCat(path_.string(), ": the file is empty"));
  void* mapping = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd_.get(), 0);
  if (mapping == MAP_FAILED) return SystemError(errno, absl::StrCat("map ", path_.string()));
  data_ = static_cast<const char*>(mapping);
  WatchMapping(data_, size_, path_);
  return absl::OkStatus();
}

absl::Status SafetensorsFile::ParseHeader() {
  auto header = ParseSafetensorsHeader(std::string_view(data_, size_));
  if (!header.ok()) return Annotate(header.status(), path_.string());
  tensors_ = std::move(header->tensors);
  metadata_ = std::move(header->metadata);
  return absl::OkStatus();
}

at::Tensor SafetensorsFile::Tensor(const StoredTensor& stored) const {
  const auto options = at::TensorOptions().dtype(stored.dtype);
  if (stored.bytes.empty()) return at::empty(stored.shape, options);
  const auto address = reinterpret_cast<uintptr_t>(stored.bytes.data());
  if (address % c10::elementSize(stored.dtype) != 0) {
    at::Tensor copy = at::empty(stored.shape, options);
    std::memcpy(copy.data_ptr(), stored.bytes.data(), stored.bytes.size());
    return copy;
  }
  auto keep_alive = [file = shared_from_this()](void*) {};
  return at::from_blob(const_cast<char*>(stored.bytes.data()), stored.shape, keep_alive, options);
}

void SafetensorsFile::Release(const StoredTensor& stored) const {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<uintptr_t>(stored.bytes.data()) / page * page;
  const auto end = reinterpret_cast<uintptr_t>(stored.bytes.data()) + stored.bytes.size();
  if (end > begin) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

absl::StatusOr<std::string> SafetensorsFile::Digest() const {
  Sha256 sha;
  std::vector<char> buffer(size_t{1} << 20);
  for (size_t at = 0; at < size_;) {
    const ssize_t got = pread(fd_.get(), buffer.data(), std::min(buffer.size(), size_ - at),
                              static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError(errno, absl::StrCat("read ", path_.string()));
    if (got == 0) break;
    sha.Update({buffer.data(), static_cast<size_t>(got)});
    at += static_cast<size_t>(got);
  }
  ASSIGN_OR_RETURN(const FileStamp now, StampOf(fd_.get()));
  if (now.size != stamp_.size || now.mtime_ns != stamp_.mtime_ns) {
    return absl::DataLossError(
        absl::StrCat(path_.string(), ": changed while it was read; try again"));
  }
  return sha.Finish();
}

}  // namespace mozgach
