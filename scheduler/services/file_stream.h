// A FileStream sends a file, from an offset on, as messages with one field `data`.
#pragma once

#include <grpcpp/support/server_callback.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <string>
#include <utility>

#include "common/files.h"
#include "scheduler/access/unary_reply.h"

namespace mozgach {

template <typename Response>
class FileStream : public grpc::ServerWriteReactor<Response> {
 public:
  FileStream(absl::StatusOr<FileDescriptor> file, uint64_t offset) : offset_(offset) {
    absl::Status status = file.status();
    if (++open_files_ > kOpenFilesMax) {
      status = absl::UnavailableError("too many downloads are under way; try again in a moment");
    }
    if (status.ok()) {
      fd_ = *std::move(file);
      WriteNext();
    } else {
      this->Finish(ToReply(status));
    }
  }

  ~FileStream() override { --open_files_; }

  void OnWriteDone(bool ok) override {
    if (ok) return WriteNext();
    this->Finish(grpc::Status(grpc::StatusCode::CANCELLED, "the reader has gone"));
  }
  void OnDone() override { delete this; }

 private:
  static constexpr size_t kChunkBytes = 1 << 20;
  static constexpr int kOpenFilesMax = 256;

  void WriteNext() {
    std::string& data = *response_.mutable_data();
    data.resize(kChunkBytes);
    if (offset_ > static_cast<uint64_t>(INT64_MAX)) return this->Finish(grpc::Status::OK);
    const ssize_t got = ::pread(fd_.get(), data.data(), data.size(), static_cast<off_t>(offset_));
    if (got < 0) return this->Finish(ToReply(SystemError(errno, "read what was asked for")));
    if (got == 0) return this->Finish(grpc::Status::OK);
    data.resize(static_cast<size_t>(got));
    offset_ += static_cast<uint64_t>(got);
    this->StartWrite(&response_);
  }

  static inline std::atomic<int> open_files_ = 0;  // open files of all streams of this kind

  FileDescriptor fd_;
  uint64_t offset_;
  Response response_;
};

}  // namespace mozgach
