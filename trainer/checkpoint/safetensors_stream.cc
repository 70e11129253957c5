#include "trainer/checkpoint/safetensors_stream.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "trainer/checkpoint/safetensors_dtype.h"

namespace mozgach {
namespace {

constexpr int64_t kHeaderLengthBytes = 8;
constexpr int64_t kEntryBytes = 192;  // header bytes per tensor, without its name
constexpr int64_t kMetadataBytes = 4096;

}  // namespace

int64_t HeaderRoom(int64_t tensors, int64_t name_bytes) {
  return (kMetadataBytes + kEntryBytes * tensors + name_bytes + 7) / 8 * 8;
}

absl::StatusOr<SafetensorsStream> SafetensorsStream::Create(const std::filesystem::path& path,
                                                            int64_t header_room) {
  SafetensorsStream stream;
  stream.path_ = path;
  stream.header_room_ = header_room;
  stream.fd_ = FileDescriptor(open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!stream.fd_.valid()) return SystemError(errno, absl::StrCat("create ", path.string()));
  return stream;
}

absl::Status SafetensorsStream::Write(int64_t at, const char* bytes, size_t size) {
  while (size > 0) {
    const ssize_t written = pwrite(fd_.get(), bytes, size, at);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError(errno, absl::StrCat("write ", path_.string()));
    bytes += written;
    at += written;
    size -= static_cast<size_t>(written);
  }
  return absl::OkStatus();
}

absl::Status SafetensorsStream::Add(const std::string& name, const at::Tensor& tensor) {
  const auto type = SafetensorsName(tensor.scalar_type());
  if (!type || entries_.contains(name) || offset_ % tensor.element_size() != 0) {
    return absl::InternalError(absl::StrCat(path_.string(), ": tensor '", name,
                                            "' would be misaligned at byte ", offset_));
  }
  const at::Tensor contiguous = tensor.contiguous();
  const auto bytes = static_cast<int64_t>(contiguous.nbytes());
  RETURN_IF_ERROR(Write(kHeaderLengthBytes + header_room_ + offset_,
                        static_cast<const char*>(contiguous.const_data_ptr()),
                        contiguous.nbytes()));
  entries_[name] = {{"dtype", *type},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {offset_, offset_ + bytes}}};
  offset_ += bytes;
  return absl::OkStatus();
}

absl::Status SafetensorsStream::Finish(const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  header.update(entries_);
  std::string text = header.dump();
  if (static_cast<int64_t>(text.size()) > header_room_) {
    return absl::ResourceExhaustedError(absl::StrCat(path_.string(), ": the header takes ",
                                                     text.size(), " bytes, but only ", header_room_,
                                                     " are reserved"));
  }
  text.resize(static_cast<size_t>(header_room_), ' ');
  std::string length;
  for (int i = 0; i < kHeaderLengthBytes; ++i) {
    length.push_back(static_cast<char>(static_cast<uint64_t>(header_room_) >> (8 * i) & 0xff));
  }
  text.insert(0, length);
  RETURN_IF_ERROR(Write(0, text.data(), text.size()));
  if (fsync(fd_.get()) != 0) return SystemError(errno, absl::StrCat("fsync ", path_.string()));
  return absl::OkStatus();
}

}  // namespace mozgach
